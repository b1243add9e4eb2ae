import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AuthorityFixture, LOOPBACK } from './authority-fixture.ts';
import { runXor, XorProcess } from './xor-process.ts';

const PASSWORD = 'a rose by any other name';
let overlay: AuthorityFixture;
let processes: XorProcess[] = [];

beforeAll(async () => {
  overlay = await AuthorityFixture.start();
  for (const name of ['romeo', 'juliet', 'nurse']) {
    await overlay.authority.addUser(`${name}@example.org`, PASSWORD);
  }
});

afterAll(() => overlay.close());

afterEach(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  processes = [];
});

function enroll(name: string): string[] {
  return ['--user', `${name}@example.org`, '--password-stdin'];
}

function startPeer(args: readonly string[], input = `${PASSWORD}\n`): XorProcess {
  const started = new XorProcess(args, { input });
  processes.push(started);
  return started;
}

describe('xor peer that cannot start says why in one sentence', () => {
  async function failsWith(args: readonly string[], input: string, sentence: RegExp) {
    const { status, stdout, stderr } = await runXor([...args, '--log-level', 'silent'], { input });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^xor: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain(PASSWORD);
  }

  test('wrong password', async () => {
    const args = [...overlay.peerArguments('wrong'), ...enroll('romeo')];
    await failsWith(args, 'wherefore\n', /refuses the user name romeo@example\.org/);
  });

  test('unknown user', async () => {
    const args = [...overlay.peerArguments('unknown'), ...enroll('tybalt')];
    await failsWith(args, `${PASSWORD}\n`, /refuses the user name tybalt@example\.org/);
  });

  test('no certificate and no user', async () => {
    await failsWith(overlay.peerArguments('nobody'), '', /holds no certificate yet; enroll/);
  });

  test('port in use', async () => {
    const server = createServer().listen(0, LOOPBACK);
    await new Promise((resolve) => server.on('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const args = [...overlay.peerArguments('port', port), ...enroll('nurse')];
    await failsWith(args, `${PASSWORD}\n`, new RegExp(`127\\.0\\.0\\.1:${port} is in use`));
    server.close();
  });

  test('an authority that HTTPS does not vouch for', async () => {
    const args = overlay.peerArguments('untrusted');
    args.splice(args.indexOf('--trust'), 2);
    await failsWith([...args, ...enroll('romeo')], `${PASSWORD}\n`, /trust/);
  });

  test('a state directory that others may write to', async () => {
    await mkdir(overlay.state('open'), { mode: 0o777 });
    await chmod(overlay.state('open'), 0o777);
    const args = [...overlay.peerArguments('open'), ...enroll('romeo')];
    await failsWith(args, `${PASSWORD}\n`, /chmod 700/);
  });

  test('a missing password is a wrong argument', async () => {
    const args = [...overlay.peerArguments('none'), '--user', 'romeo@example.org'];
    const { status, stderr } = await runXor([...args, '--log-level', 'silent']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--password-stdin/);
    const empty = await runXor([...args, '--password-stdin', '--log-level', 'silent']);
    expect(empty.status).toBe(2);
  });
});

describe('xor peer', () => {
  test('enrolls, joins, answers commands, and leaves on SIGTERM', async () => {
    const { port } = overlay.bootstrap;
    const first = startPeer([
      ...overlay.peerArguments('romeo', port),
      ...enroll('romeo'),
      '--first',
    ]);
    const romeo = await first.firstJson(15_000);
    expect(romeo).toMatchObject({
      event: 'joined',
      nodeId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const redundant = ['--lookup-replicas', '3', '--lookup-paths', '2'];
    const second = startPeer([
      ...overlay.peerArguments('juliet'),
      ...enroll('juliet'),
      ...redundant,
    ]);
    const juliet = await second.firstJson(15_000);
    const secrets = ['api-token', 'identity.pem'].map(
      (file) => `${overlay.state('juliet')}/${file}`,
    );
    for (const path of secrets) expect((await stat(path)).mode & 0o777).toBe(0o600);

    const asked = ['--state', overlay.state('romeo'), '--json'];
    const byNode = await runXor(['lookup', String(juliet.nodeId), ...asked]);
    expect(JSON.parse(byNode.stdout)).toEqual([
      expect.objectContaining({
        nodeId: juliet.nodeId,
        jid: 'juliet@example.org',
        verified: true,
        notAfter: expect.any(String),
        fingerprintSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pem: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
      }),
    ]);
    const byUser = await runXor(['lookup', 'Juliet@Example.org', ...asked]);
    expect(JSON.parse(byUser.stdout)).toEqual(JSON.parse(byNode.stdout));
    const askJuliet = ['--state', overlay.state('juliet'), '--json'];
    const redundantly = await runXor(['lookup', String(romeo.nodeId), ...askJuliet]);
    expect(JSON.parse(redundantly.stdout)).toMatchObject([{ jid: 'romeo@example.org' }]);
    const decimal = BigInt(`0x${String(juliet.nodeId)}`).toString();
    const ping = await runXor(['ping', decimal, ...asked]);
    expect(JSON.parse(ping.stdout)).toMatchObject({ nodeId: juliet.nodeId });
    await expect
      .poll(async () => (await runXor(['locate', 'juliet@example.org', ...asked])).status)
      .toBe(0);
    for (const command of ['status', 'peers', 'values']) {
      const { status, stdout } = await runXor([command, ...asked]);
      expect({ command, status }).toEqual({ command, status: 0 });
      expect(() => JSON.parse(stdout)).not.toThrow();
    }
    const none = await runXor(['lookup', 'nobody@example.org', ...asked]);
    expect(none).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^xor: /) });

    const token = (await readFile(secrets[0] ?? '', 'utf8')).trim();
    const said = [...second.stderrLines, ...second.stdoutLines].join('\n');
    expect(said.includes(token) || said.includes(PASSWORD)).toBe(false);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await first.end('SIGINT')).toBe(0);
  });

  test('a restart needs no password, no bootstrap node and no configuration server', async () => {
    const other = await AuthorityFixture.start();
    try {
      for (const name of ['romeo', 'juliet', 'nurse']) {
        await other.authority.addUser(`${name}@example.org`, PASSWORD);
      }
      const { port } = other.bootstrap;
      const first = startPeer([
        ...other.peerArguments('romeo', port),
        ...enroll('romeo'),
        '--first',
      ]);
      await first.firstJson(15_000);
      const second = startPeer([...other.peerArguments('juliet'), ...enroll('juliet')]);
      const juliet = await second.firstJson(15_000);
      const third = startPeer([...other.peerArguments('nurse'), ...enroll('nurse')]);
      await third.firstJson(15_000);
      await third.end('SIGKILL');
      await first.end('SIGKILL');
      await other.authority.close();
      const again = startPeer([...other.peerArguments('nurse'), ...enroll('nurse')], '');
      await again.firstJson(25_000);
      const found = await runXor([
        'lookup',
        String(juliet.nodeId),
        '--state',
        other.state('nurse'),
        '--json',
      ]);
      expect(JSON.parse(found.stdout)).toMatchObject([{ jid: 'juliet@example.org' }]);
    } finally {
      await other.close();
    }
  });
});
