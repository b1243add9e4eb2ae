import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AuthorityFixture } from './authority-fixture.ts';
import { runXor, XorProcess } from './xor-process.ts';

const PASSWORD = 'a rose by any other name';
const NAMES = ['romeo', 'juliet'];
let overlay: AuthorityFixture;
let processes: XorProcess[] = [];

beforeAll(async () => {
  overlay = await AuthorityFixture.start();
  for (const name of NAMES) await overlay.authority.addUser(`${name}@example.org`, PASSWORD);
});

afterAll(() => overlay.close());

afterEach(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  processes = [];
});

async function startPeer(name: string, port: number, ...more: readonly string[]) {
  const enroll = ['--user', `${name}@example.org`, '--password-stdin'];
  const args = [...overlay.peerArguments(name, port), ...enroll, ...more];
  const started = new XorProcess(args, { input: `${PASSWORD}\n` });
  processes.push(started);
  await started.firstJson(15_000);
}

test('xor send: exit 0 when a device of the addressee has the message on disk', async () => {
  const xmpp = ['--xmpp-listen', '127.0.0.1:0'];
  await startPeer('romeo', overlay.bootstrap.port, '--first', ...xmpp);
  await startPeer('juliet', 0, ...xmpp);
  const asked = ['--state', overlay.state('romeo')];
  const sent = await runXor(['send', 'juliet@example.org', 'But, soft!', ...asked]);
  expect(sent).toMatchObject({ status: 0, stderr: '' });
  const json = await runXor(['send', 'juliet@example.org', 'Speak again', ...asked, '--json']);
  expect(JSON.parse(json.stdout)).toEqual({ to: 'juliet@example.org', state: 'acknowledged' });
  const refused = await runXor(['send', 'romeo@example.org', 'to myself', ...asked]);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toBe('xor: a message goes to another user\n');
}, 60_000);
