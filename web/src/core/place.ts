/** Where in the conversation's log a message lies. */
export interface Place {
  readonly topic: Uint8Array;
  readonly order: number;
  readonly seq: number;
  readonly time: number;
  readonly recordHash: Uint8Array;
}
