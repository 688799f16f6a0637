/** TensorFlow.js, for the folders that compute. Nothing outside of src/tensor imports the package itself. */
export * from '@tensorflow/tfjs-core';
