/** Encoders and decoders that only the second part of the app calls; all types are in messages.ts. */
export * from './_messages_rest.ts';
