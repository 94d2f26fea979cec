/**
 * The part of the core that is loaded second: everything that an invited person does not need before their first message.
 *
 * Loading this module is all that there is to do; the core finds here what it asks of provided.ts.
 */
import { groupFromParts } from '../mls/changes.ts';
import * as amendments from './amendments.ts';
import * as answering from './answering.ts';
import * as blobs from './blobs.ts';
import * as commits from './commits.ts';
import * as deliveries from './deliveries.ts';
import { ANSWER, LOOK, TIMER } from './dispatch.ts';
import * as ephemeral from './ephemeral.ts';
import * as epochs from './epochs.ts';
import * as formers from './formers.ts';
import * as founding from './founding.ts';
import * as invites from './invites.ts';
import * as leave from './leave.ts';
import * as losthistory from './losthistory.ts';
import * as management from './management.ts';
import * as membership from './membership.ts';
import * as moreviews from './moreviews.ts';
import * as moves from './moves.ts';
import * as notes from './notes.ts';
import * as operations from './operations.ts';
import * as outcome from './outcome.ts';
import { provide } from './provided.ts';
import * as reachable from './reachable.ts';
import * as readd from './readd.ts';
import * as reading from './reading.ts';
import * as receipts from './receipts.ts';
import * as slots from './slots.ts';
import { OUTBOX } from './state.ts';
import { COMMIT, INVITE } from './tables.ts';
import * as stock from './stock.ts';
import * as storedgroups from './storedgroups.ts';
import * as successors from './successors.ts';
import * as timers from './timers.ts';
import * as topicends from './topicends.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** A blob is whole: whatever waited for one looks again. */
function uploaded(t: Transaction): void {
  blobs.wakeDrops(t);
  for (const conversation of t.keys(COMMIT)) work.wake(t, 'commit', conversation);
  for (const key of t.keys(OUTBOX)) work.wake(t, 'outbox', key.slice(0, 16));
  for (const invite of t.keys(INVITE)) work.wake(t, 'invite', invite);
}

Object.assign(LOOK, {
  commit: membership.workCommit,
  invite: invites.workInvite,
  later: founding.welcomeLater,
  left: leave.intentLogged,
  operation: membership.workOperation,
  take: operations.workTake,
  upload: blobs.workUpload,
  uploads: uploaded,
} satisfies typeof LOOK);

Object.assign(ANSWER, {
  commit: membership.answeredCommit,
  take: operations.answeredTake,
  upload: blobs.answeredUpload,
} satisfies typeof ANSWER);

Object.assign(TIMER, {
  answered: founding.closeAnswered,
  close: topicends.close,
  daily: timers.daily,
  epochs: epochs.forgetOld,
  invite: invites.expire,
  left: leave.overdue,
  move: moves.turn,
  readd: readd.ask,
  receipts: receipts.flush,
  typing: (t, key) => ephemeral.show(t, key, false),
  wish: leave.commitWish,
} satisfies typeof TIMER);

provide({
  prepareBlob: blobs.prepareBlob,
  want: blobs.want,
  uploaded: blobs.uploaded,
  release: blobs.release,
  groupFromParts,
  restorePart: storedgroups.restorePart,
  cellChanges: storedgroups.cellChanges,
  conversationOf: successors.conversationOf,
  groupOfMessage: formers.groupOfMessage,
  processCommit: commits.process,
  stopIfFraud: slots.stopIfFraud,
  unknownTopic: losthistory.unknownTopic,
  lostHistory: losthistory.lostHistory,
  missed: losthistory.missed,
  complete: losthistory.complete,
  unopened: losthistory.unopened,
  seenAgain: reading.seenAgain,
  receive: reading.receive,
  sent: outcome.sent,
  publishRefused: outcome.publishRefused,
  isSendable: management.isSendable,
  preview: notes.preview,
  amendOwn: management.amendOwn,
  setProblem: notes.setProblem,
  receiveRequest: answering.receiveRequest,
  receiveReAdd: readd.received,
  inviteFailed: invites.fail,
  closeInbox: reachable.close,
  inboxDeleted: reachable.inboxDeleted,
  dropAnswered: deliveries.dropAnswered,
  stock: stock.stock,
  joinsAgain: founding.joinsAgain,
  leaveFormer: founding.leaveFormer,
  joinedGroup: founding.joinedGroup,
  goOnInOne: founding.goOnInOne,
  usedLastResort: founding.usedLastResort,
  act: management.act,
  actAll: management.actAll,
  setTimers: timers.setTimers,
  ephemeralPushed: ephemeral.pushed,
  relays: operations.relays,
  apply: amendments.apply,
  fingerprint: moreviews.fingerprint,
  rights: moreviews.rights,
  coming: moreviews.coming,
  safety: moreviews.safety,
  contacts: moreviews.contacts,
  requests: moreviews.requests,
  invites: moreviews.invites,
});
