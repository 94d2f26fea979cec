/** The root of every error that Polynya raises on purpose. `code` is stable and in kebab-case; `message` is for people. */
export class PolynyaError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}
