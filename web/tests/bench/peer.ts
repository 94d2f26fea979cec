import {
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  createApplicationMessage,
  createCommit,
  decodeMlsMessage,
  defaultAuthenticationService,
  defaultCapabilities,
  defaultKeyPackageEqualityConfig,
  defaultKeyRetentionConfig,
  defaultLifetimeConfig,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  mlsExporter,
  processPrivateMessage,
  processPublicMessage,
} from 'ts-mls';
import type { Implementation } from './seat.ts';

/** As the others: messages as long as their texts. */
const CONFIG: ClientConfig = {
  keyRetentionConfig: defaultKeyRetentionConfig,
  lifetimeConfig: defaultLifetimeConfig,
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
  authService: defaultAuthenticationService,
};

function decoded<F extends MLSMessage['wireformat']>(data: Uint8Array, format: F): Extract<MLSMessage, { wireformat: F }> {
  const found = decodeMlsMessage(data, 0)?.[0];
  if (found?.wireformat !== format) throw new Error(`not a ${format}`);
  return found as Extract<MLSMessage, { wireformat: F }>;
}

/** A member that runs ts-mls. Its states are values, as ours are; the keys that it names as used up stay, as ours do. */
export class Peer implements Implementation {
  #suite: CiphersuiteImpl | null = null;
  #own: { readonly publicPackage: KeyPackage; readonly privatePackage: PrivateKeyPackage } | null = null;
  #state: ClientState | null = null;

  get #present(): ClientState {
    if (this.#state === null) throw new Error('not in a group');
    return this.#state;
  }

  async start(suite: number, identity: Uint8Array, [from, to]: readonly [number, number]): Promise<Uint8Array> {
    if (suite !== 1) throw new Error(`ts-mls has no suite ${suite}`);
    this.leave();
    this.#suite = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'));
    const lifetime = { notBefore: BigInt(from), notAfter: BigInt(to) };
    const credential = { credentialType: 'basic', identity } as const;
    this.#own = await generateKeyPackage(credential, defaultCapabilities(), lifetime, [], this.#suite);
    const message = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_key_package',
      keyPackage: this.#own.publicPackage,
    });
    return message.slice(4); // The version and the wire format come first.
  }

  async join(welcome: Uint8Array): Promise<void> {
    const message = decoded(welcome, 'mls_welcome');
    const { publicPackage, privatePackage } = this.#own!;
    const [tree, before] = [undefined, undefined];
    this.#state = await joinGroup(
      message.welcome,
      publicPackage,
      privatePackage,
      emptyPskIndex,
      this.#suite!,
      tree,
      before,
      CONFIG,
    );
  }

  async commit(): Promise<Uint8Array> {
    const made = await createCommit({ state: this.#present, cipherSuite: this.#suite! }, { wireAsPublicMessage: true });
    return encodeMlsMessage(made.commit);
  }

  async process(message: Uint8Array): Promise<void> {
    const { publicMessage } = decoded(message, 'mls_public_message');
    const done = await processPublicMessage(this.#present, publicMessage, emptyPskIndex, this.#suite!);
    this.#state = done.newState;
  }

  async encrypt(data: Uint8Array): Promise<Uint8Array> {
    const made = await createApplicationMessage(this.#present, data, this.#suite!);
    this.#state = made.newState;
    return encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_private_message',
      privateMessage: made.privateMessage,
    });
  }

  async decrypt(message: Uint8Array): Promise<Uint8Array> {
    const { privateMessage } = decoded(message, 'mls_private_message');
    const opened = await processPrivateMessage(this.#present, privateMessage, emptyPskIndex, this.#suite!);
    if (opened.kind !== 'applicationMessage') throw new Error('not an application message');
    this.#state = opened.newState;
    return opened.message;
  }

  exported(): Promise<Uint8Array> {
    const { exporterSecret } = this.#present.keySchedule;
    return mlsExporter(exporterSecret, 'bench', new Uint8Array(0), 32, this.#suite!);
  }

  leave(): void {
    this.#own = null;
    this.#state = null;
  }
}
