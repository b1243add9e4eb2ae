import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CA,
  chainOf,
  csrStanza,
  newRequest,
} from '../host/authority/component/component-fixture.ts';
import { ComponentServer } from '../host/authority/component/component-server.ts';
import { runCa, startCa } from './ca-run.ts';

const SECRET = 'a secret of operators';
let directory = '';
let server: ComponentServer;
const started: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
  server = await ComponentServer.open(SECRET);
  await writeFile(join(directory, 'secret'), `${SECRET}\n`, { mode: 0o600 });
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const state = () => ['--state', join(directory, 'ca')];
const secretFile = () => join(directory, 'secret');
const address = () => `127.0.0.1:${server.port}`;
const componentArguments = () => [
  ...['component', ...state(), '--server', address(), '--jid', CA],
  ...['--secret-file', secretFile()],
];

/** Starts a command; `next` gives its JSON lines. */
function start(args: readonly string[]) {
  const child = startCa([...args, '--json']);
  started.push(child);
  if (child.stdout === null) throw new Error('it has no stdout');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += String(data);
  });
  return {
    next: async (): Promise<Readonly<Record<string, unknown>>> => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`it ended: ${errors}`);
      return JSON.parse(String(value)) as Readonly<Record<string, unknown>>;
    },
    interrupt: async () => {
      const closed = once(child, 'close');
      child.kill('SIGINT');
      const [exitStatus] = (await closed) as [number | null];
      return exitStatus;
    },
    get errors() {
      return errors;
    },
  };
}

async function certificates(id: string): Promise<number> {
  return chainOf(await server.ask(csrStanza(newRequest().der, { id }), id)).length;
}

/** Each step stands on the one before. */
describe('xor ca component', { timeout: 60_000 }, () => {
  it('says what is missing', async () => {
    await runCa(['init', ...state(), '--xmpp-address', CA]);
    const wrong = async (...args: string[]) => {
      const { exitStatus, stderr } = await runCa(args);
      return `${exitStatus} ${stderr}`;
    };
    const serve = ['serve', ...state(), '--listen', '127.0.0.1:0'];
    expect(await wrong(...serve, '--component', CA)).toBe(
      '2 xor: --component needs --component-server and --component-secret-file\n',
    );
    expect(await wrong(...serve, '--component-trust-server')).toContain('give --component\n');
    await writeFile(join(directory, 'empty'), '\n');
    const empty = ['--component', CA, '--component-server', address(), '--component-secret-file'];
    expect(await wrong(...serve, ...empty, join(directory, 'empty'))).toMatch(
      /^2 xor: the first line of .*empty is empty; write the secret\n$/,
    );
    const other = componentArguments().map((text) => (text === CA ? 'ca.montague.lit' : text));
    expect(await wrong(...other, '--listen', '127.0.0.1:0')).toContain(
      `be the component ${CA}, not ca.montague.lit`,
    );
  });

  it('serve --component attaches, issues, and ends its stream', async () => {
    await runCa(['user', 'add', 'juliet@capulet.lit', ...state(), '--password-stdin'], {
      input: 'wherefore\n',
    });
    const authority = start([
      ...['serve', ...state(), '--listen', '127.0.0.1:0', '--component', CA],
      ...['--component-server', address(), '--component-secret-file', secretFile()],
      '--component-trust-server',
    ]);
    expect(await authority.next()).toMatchObject({ event: 'listening' });
    expect(await authority.next()).toEqual({ event: 'attached', component: CA });
    expect(await certificates('served')).toBe(1);
    expect(await authority.interrupt()).toBe(0);
    expect(server.ends).toBe(1);
    expect(authority.errors).toContain('"certificate issued"');
    expect(authority.errors).not.toContain(SECRET);
  });

  it('component serves by itself where the authority does not run', async () => {
    const component = start([...componentArguments(), '--trust-server', '--listen', '127.0.0.1:0']);
    expect(await component.next()).toMatchObject({ event: 'listening' });
    expect(await component.next()).toEqual({ event: 'attached', component: CA });
    expect(await certificates('alone')).toBe(1);
    expect(await component.interrupt()).toBe(0);
    expect(server.ends).toBe(2);
  });

  it('component makes a running authority one, for as long as it runs itself', async () => {
    const authority = start(['serve', ...state(), '--listen', '127.0.0.1:0']);
    expect(await authority.next()).toMatchObject({ event: 'listening' });
    const component = start([...componentArguments(), '--trust-server']);
    expect(await component.next()).toEqual({ event: 'attached', component: CA });
    expect(await certificates('beside')).toBe(1);
    expect(await component.interrupt()).toBe(0);
    expect(server.ends).toBe(3);
    const again = start(componentArguments());
    expect(await again.next()).toEqual({ event: 'attached', component: CA });
    expect(await authority.interrupt()).toBe(0);
    await expect(again.next()).rejects.toThrow(
      'the authority has ended, and with it its component',
    );
  });

  it('component tells of a wrong secret', async () => {
    const authority = start(['serve', ...state(), '--listen', '127.0.0.1:0']);
    await authority.next();
    await writeFile(secretFile(), 'wrong\n');
    const component = start(componentArguments());
    while (!component.errors.includes('the secret is not the one of its configuration')) {
      await new Promise((done) => setTimeout(done, 20));
    }
    expect(await component.interrupt()).toBe(0);
    expect(await authority.interrupt()).toBe(0);
  });
});
