/** Ids as the OpenAPI document shows them. */
export const EXAMPLE_EXPERIMENT_ID = '01m89q4d7dz5b7hca4';
export const EXAMPLE_SESSION_ID = 'ses_5be734d0f35a9eccc1e5e331';
