import { opaque, optional, struct, u16, u32, variant } from './codec.ts';
import { type Extension, extensions } from './extensions.ts';
import { type KeyPackage, keyPackage } from './keypackage.ts';
import { type LeafNode, leafNode } from './leaf.ts';
import { type PskId, pskId } from './psk.ts';
import { type Sender, sender } from './sender.ts';

export const ADD = 1;
export const UPDATE = 2;
export const REMOVE = 3;
export const PSK = 4;
export const REINIT = 5;
export const EXTERNAL_INIT = 6;
export const GROUP_CONTEXT_EXTENSIONS = 7;

export interface ReInit {
  readonly groupId: Uint8Array;
  readonly version: number;
  readonly cipherSuite: number;
  readonly extensions: readonly Extension[];
}

/** RFC 9420, section 12.1. */
export type Proposal =
  | { readonly type: typeof ADD; readonly keyPackage: KeyPackage }
  | { readonly type: typeof UPDATE; readonly leafNode: LeafNode }
  | { readonly type: typeof REMOVE; readonly removed: number }
  | { readonly type: typeof PSK; readonly psk: PskId }
  | ({ readonly type: typeof REINIT } & ReInit)
  | { readonly type: typeof EXTERNAL_INIT; readonly kemOutput: Uint8Array }
  | { readonly type: typeof GROUP_CONTEXT_EXTENSIONS; readonly extensions: readonly Extension[] };

export const reInit = struct<ReInit>({ groupId: opaque, version: u16, cipherSuite: u16, extensions });

export const proposal = variant<Proposal, 'type'>('type', u16, '12.1-proposal-type', {
  [ADD]: struct<{ keyPackage: KeyPackage }>({ keyPackage }),
  [UPDATE]: struct<{ leafNode: LeafNode }>({ leafNode }),
  [REMOVE]: struct<{ removed: number }>({ removed: u32 }),
  [PSK]: struct<{ psk: PskId }>({ psk: pskId }),
  [REINIT]: reInit,
  [EXTERNAL_INIT]: struct<{ kemOutput: Uint8Array }>({ kemOutput: opaque }),
  [GROUP_CONTEXT_EXTENSIONS]: struct<{ extensions: readonly Extension[] }>({ extensions }),
});

/** A proposal with whoever made it; `reference` is null when the commit has it by value. */
export interface ResolvedProposal {
  readonly proposal: Proposal;
  readonly sender: Sender;
  readonly reference: Uint8Array | null;
}

/** With an empty reference for none: as a group's state and a pending commit hold it. */
export const resolvedProposal = struct<ResolvedProposal>({ proposal, sender, reference: optional(opaque) });
