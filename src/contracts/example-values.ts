/** Values that several examples of the OpenAPI document share. */
export const EXAMPLE_EXPERIMENT_ID = '01m89q4d7dz5b7hca4';
export const EXAMPLE_SESSION_ID = 'ses_5be734d0f35a9eccc1e5e331';
export const EXAMPLE_TIME = '2026-11-25T16:04:41.608Z';
export const EXAMPLE_DIGEST = '3331e675af103954324a93ee6633332ec82bceafecb5b820c39e488d4a88b8ad';
