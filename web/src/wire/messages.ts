/** Every message, enum and constant of spec/messages.toml, with its encoder and decoder. */
export * from './_messages.ts';
