import { Command } from 'commander';
import { readLookupTarget, readNodeIdText } from '../host/http-api/lookup-target.ts';
import { ApiClient, type ApiClientOptions, ApiProblem, withApiOptions } from './api-client.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { printJson, printLine, printTable } from './terminal-output.ts';

type Options = ApiClientOptions & { readonly json?: boolean };
type Row = Readonly<Record<string, unknown>>;

/** The commands that ask a running peer through its HTTP API. */
export function runningPeerCommands(): Command[] {
  return [lookup(), locate(), ping(), status(), peers(), values()];
}

function lookup(): Command {
  return asking(
    'lookup',
    'certificates of a node or a user, looked up and verified; one that is revoked says so',
  )
    .argument('<node-id|jid>', 'Node-ID in any form, or an XMPP address')
    .addHelpText('after', examples('lookup juliet@example.org', 'lookup 6f1d… --json'))
    .action(async (target: string, options: Options) => {
      requireReadable(readLookupTarget(target));
      const path = `/v1/certificates/${encodeURIComponent(target)}`;
      const found = await ask(options, 'GET', path).then(rows, (error) => {
        if (options.json === true) printRevocation(error);
        throw error;
      });
      if (options.json === true) printJson(found);
      else printCertificates(found);
      if (found.length === 0) throw new OperatorError(`there is no certificate for ${target}`);
    });
}

function locate(): Command {
  return asking('locate', 'where a user can be reached: XMPP-LOCATION entries')
    .argument('<jid>', 'XMPP address')
    .addHelpText('after', examples('locate juliet@example.org', 'locate juliet@example.org --json'))
    .action(async (jid: string, options: Options) => {
      if (!jid.includes('@')) throw usageError(`"${jid}" is no XMPP address (local@domain)`);
      requireReadable(readLookupTarget(jid));
      const found = rows(await ask(options, 'GET', `/v1/locations/${encodeURIComponent(jid)}`));
      if (options.json === true) printJson(found);
      else {
        printTable(
          ['NODE-ID', 'TYPE', 'WHERE', 'PRIORITY'],
          found.map((entry) => [
            text(entry.nodeId),
            text(entry.type),
            entry.type === 'route' ? route(entry.destinationList) : text(entry.address),
            text(entry.priority),
          ]),
        );
      }
      if (found.length === 0) throw new OperatorError(`there is no location for ${jid}`);
    });
}

/** A Destination List as people read it: the IDs on the way, the last one being the device. */
function route(destinationList: unknown): string {
  const entries = Array.isArray(destinationList) ? destinationList : [];
  return entries.map((entry) => Object.values(row(entry)).at(-1)).join(' > ');
}

function ping(): Command {
  return asking('ping', 'round-trip time to a node, through the overlay')
    .argument('<node-id>', 'Node-ID in any form')
    .addHelpText('after', examples('ping 6f1d8c…', 'ping 6f1d8c… --json'))
    .action(async (nodeId: string, options: Options) => {
      requireReadable(readNodeIdText(nodeId));
      const pong = row(await ask(options, 'POST', `/v1/ping/${encodeURIComponent(nodeId)}`));
      if (options.json === true) printJson(pong);
      else {
        const time = Number(pong.roundTripMs).toFixed(1);
        printLine(`${text(pong.nodeId)} answered in ${time} ms over about ${text(pong.hops)} hops`);
      }
    });
}

function status(): Command {
  return asking('status', 'what the running peer is and does')
    .addHelpText('after', examples('status', 'status --json'))
    .action(async (options: Options) => {
      const state = row(await ask(options, 'GET', '/v1/status'));
      if (options.json === true) printJson(state);
      else printFields(state);
    });
}

function peers(): Command {
  return asking('peers', 'neighbours, fingers and links of the running peer')
    .addHelpText('after', examples('peers', 'peers --json'))
    .action(async (options: Options) => {
      const tables = row(await ask(options, 'GET', '/v1/peers'));
      if (options.json === true) printJson(tables);
      else printPeers(tables);
    });
}

function values(): Command {
  return asking('values', 'what the running peer stores for the overlay, and until when')
    .addHelpText('after', examples('values', 'values --json'))
    .action(async (options: Options) => {
      const stored = rows(await ask(options, 'GET', '/v1/values'));
      if (options.json === true) {
        printJson(stored);
        return;
      }
      printTable(
        ['RESOURCE', 'KIND', 'SIGNER', 'EXPIRES', 'BYTES'],
        stored.map((value) => [
          text(value.resource),
          `0x${Number(value.kind).toString(16)}`,
          text(row(value.signer).jid),
          text(value.expiresAt),
          text(value.sizeBytes),
        ]),
      );
    });
}

function asking(name: string, description: string): Command {
  return withApiOptions(new Command(name).description(description)).option(
    '--json',
    'one JSON document',
  );
}

async function ask(options: Options, method: 'GET' | 'POST', path: string): Promise<unknown> {
  return (await ApiClient.open(options)).ask(method, path);
}

/** A target that nobody can read is a wrong argument, before any peer is asked. */
function requireReadable(read: string | object): void {
  if (typeof read === 'object' && 'fault' in read) throw usageError(String(read.fault));
}

/** What is known of a certificate that does not count any more, in the place of those that do. */
function printRevocation(error: unknown): void {
  if (!(error instanceof ApiProblem) || error.fields.code !== 'revoked') return;
  const { revokedSince, revocationReason, detail } = error.fields;
  printJson([{ verified: false, revoked: true, revokedSince, revocationReason, detail }]);
}

function printCertificates(found: readonly Row[]): void {
  for (const certificate of found) {
    printLine(`${text(certificate.nodeId)}  ${text(certificate.jid)}  verified`);
    printLine(`  valid until ${text(certificate.notAfter)}`);
    printLine(`  SHA-256 ${text(certificate.fingerprintSha256)}`);
    printLine(text(certificate.pem).trimEnd());
  }
}

function printPeers(tables: Row): void {
  for (const name of ['predecessors', 'successors', 'fingers']) {
    printLine(`${name}:`);
    for (const nodeId of list(tables[name])) printLine(`  ${text(nodeId)}`);
  }
  printLine('links:');
  printTable(
    ['NODE-ID', 'JID', 'ADDRESS', 'RTT', 'STATE'],
    rows(tables.links).map((link) => [
      text(link.nodeId),
      text(link.jid),
      text(link.address),
      link.roundTripMs === null ? '' : `${Number(link.roundTripMs).toFixed(1)} ms`,
      link.suspect === true ? 'suspect' : link.routable === true ? 'routing' : 'connected',
    ]),
  );
}

function printFields(fields: Row): void {
  for (const [name, value] of Object.entries(fields)) {
    const shown = typeof value === 'object' ? JSON.stringify(value) : text(value);
    printLine(`${name.padEnd(22)}${shown}`);
  }
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ xor ${line}`).join('\n')}`;
}

/** The API is our own program, yet maybe another version of it: read what it says with care. */
function row(value: unknown): Row {
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function rows(value: unknown): Row[] {
  return list(value).map(row);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
