import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import {
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  forgetEpochsBefore,
  joinExternal,
  makeGroupInfo,
  proposeUpdate,
  receiveProposal,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { Group } from '../../src/mls/group.ts';
import { ADD, type Proposal, REMOVE } from '../../src/mls/proposal.ts';
import { Club, NOW } from './club.ts';

/*
 * Long lives of groups under random operations by random members. After each epoch all members agree; whoever was
 * removed opens nothing more.
 */
test.each([1, 2, 3, 4])('members agree through a random life: %i', async (seed) => {
  const club = await Club.of(['m0', 'm1', 'm2'], `life ${seed}`);
  const { random } = club;
  const ghosts: Group[] = [];
  let count = 3;
  for (let step = 0; step < 22; step++) {
    const by = random.pick(club.names);
    const others = club.names.filter((name) => name !== by);
    const leaving = others.filter(() => random.below(3) === 0).slice(0, 3);
    const spread = async (name: string, made: Promise<[Group, Uint8Array]>): Promise<void> => {
      const [group, message] = await made;
      club.set(name, group);
      for (const other of club.names) {
        if (other !== name) club.set(other, (await receiveProposal(club.get(other), message))[0]);
      }
    };
    switch (random.below(6)) {
      case 0: {
        const names = Array.from({ length: 1 + random.below(3) }, () => `m${count++}`);
        await club.add(by, ...names);
        break;
      }
      case 1:
        for (const name of leaving) ghosts.push(club.get(name));
        if (leaving.length > 0 && others.length > leaving.length) await club.remove(by, ...leaving);
        else ghosts.length -= leaving.length;
        break;
      case 2:
        for (const name of leaving) await spread(name, proposeUpdate(club.get(name), { random, private: random.below(2) === 0 }));
        await club.commit(by, [], { private: random.below(2) === 0 });
        break;
      case 3: {
        const bundle = await club.bundle(`m${count}`);
        const out = random.pick(others);
        const proposals: Proposal[] = [
          { type: REMOVE, removed: club.get(out).ownLeafIndex },
          { type: ADD, keyPackage: bundle.keyPackage },
        ];
        ghosts.push(club.get(out));
        const pending = await commitProposals(club.get(by), proposals, club.commitOptions({ private: random.below(2) === 0 }));
        await club.accept(by, pending, new Map([[`m${count++}`, bundle]]));
        break;
      }
      case 4: {
        const info = await makeGroupInfo(club.get(by), { externalPub: true });
        const name = `m${count++}`;
        const joined = await joinExternal(info, basicCredential(utf8(name)), random.bytes(32), { random });
        for (const member of club.names) {
          const verified = await verifyCommit(club.get(member), joined.message, { now: NOW });
          club.set(member, await applyCommit(club.get(member), verified));
        }
        club.set(name, joined.group);
        club.agree();
        break;
      }
      default:
        await club.commit(by, []);
    }
    const speaker = random.pick(club.names);
    const message = await club.say(speaker, `step ${step}`);
    for (const ghost of ghosts) await expect(ghost.decrypt(message)).rejects.toMatchObject({ name: 'MlsError' });
    if (step % 5 === 0) {
      for (const name of club.names) {
        const group = forgetEpochsBefore(club.get(name), club.get(name).epoch - 3);
        club.set(name, decodeGroup(encodeGroup(group)));
      }
    }
  }
  expect(ghosts.length).toBeGreaterThan(0);
}, 60_000);
