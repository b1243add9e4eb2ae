import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toPem } from '../../../src/host/links/link-credentials.ts';

/** A value of Prosody's configuration file, which is Lua. */
export type LuaValue = string | number | boolean | readonly LuaValue[] | LuaTable;
export interface LuaTable {
  readonly [key: string]: LuaValue;
}

/** A virtual host. */
export interface ProsodyHost {
  readonly domain: string;
  /** By localpart. */
  readonly accounts: Readonly<Record<string, { readonly password: string }>>;
  /** What holds for this host alone, such as `authentication` or `modules_enabled`. */
  readonly settings?: LuaTable;
}

/** An external component (XEP-0114). */
export interface ProsodyComponent {
  readonly domain: string;
  readonly secret: string;
  readonly settings?: LuaTable;
}

export interface ProsodyOptions {
  readonly hosts: readonly ProsodyHost[];
  readonly components?: readonly ProsodyComponent[];
  /**
   * Modules beside the usual ones, such as `client_certs`: Debian's prosody-modules puts its own
   * beside Prosody's. What they need to run there is in `prosody-modules/`.
   */
  readonly modules?: readonly string[];
  /** Ask clients for a certificate, and take any: what it is worth, a module decides. */
  readonly wantsClientCertificates?: boolean;
  /** DER: roots that chains of clients and of other servers may end in. */
  readonly trustedCertificates?: readonly Uint8Array[];
  /** What holds for all hosts, over what is set here. */
  readonly settings?: LuaTable;
}

export interface ProsodyPorts {
  /** STARTTLS. */
  readonly client: number;
  readonly clientDirectTls: number;
  readonly component: number;
}

/** Writes the configuration into `directory` and returns its path. */
export async function writeConfiguration(
  directory: string,
  options: ProsodyOptions,
  ports: ProsodyPorts,
): Promise<string> {
  await writeFile(trustFile(directory), (options.trustedCertificates ?? []).map(toPem).join(''));
  const lines = [
    ...settings({ ...globalSettings(directory, options, ports), ...options.settings }),
    ...options.hosts.flatMap(({ domain, settings: own = {} }) => [
      `VirtualHost ${luaText(domain)}`,
      ...settings({ ssl: tlsFiles(directory, domain), ...own }),
    ]),
    ...(options.components ?? []).flatMap(({ domain, secret, settings: own = {} }) => [
      `Component ${luaText(domain)}`,
      ...settings({ component_secret: secret, ...own }),
    ]),
  ];
  const path = join(directory, 'prosody.cfg.lua');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** Accounts as `prosodyctl register` leaves them, but with the password itself. */
export async function writeAccounts(directory: string, hosts: readonly ProsodyHost[]) {
  for (const { domain, accounts } of hosts) {
    for (const [localpart, { password }] of Object.entries(accounts)) {
      const folder = join(dataDirectory(directory), storedName(domain), 'accounts');
      const path = join(folder, `${storedName(localpart)}.dat`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `return { ["password"] = ${luaText(password)}; };\n`);
    }
  }
}

/** Where a host's certificate and key are. */
export function tlsFiles(directory: string, domain: string) {
  return {
    certificate: join(directory, `${domain}.crt`),
    key: join(directory, `${domain}.key`),
  };
}

export function dataDirectory(directory: string): string {
  return join(directory, 'data');
}

function globalSettings(directory: string, options: ProsodyOptions, ports: ProsodyPorts): LuaTable {
  const [first] = options.hosts;
  const trust = options.trustedCertificates === undefined ? {} : { cafile: trustFile(directory) };
  const verification = {
    ...trust,
    verify: ['peer', 'client_once'],
    verifyext: ['lsec_continue', 'lsec_ignore_purpose'],
  };
  const direct = {
    ...(first === undefined ? {} : tlsFiles(directory, first.domain)),
    ...(options.wantsClientCertificates === true ? verification : {}),
  };
  return {
    // A machine of CI knows no other user.
    run_as_root: true,
    pidfile: join(directory, 'prosody.pid'),
    data_path: dataDirectory(directory),
    log: { debug: '*console' },
    plugin_paths: [fileURLToPath(new URL('./prosody-modules', import.meta.url))],
    interfaces: ['127.0.0.1'],
    local_interfaces: ['127.0.0.1'],
    c2s_ports: [ports.client],
    c2s_direct_tls_ports: [ports.clientDirectTls],
    c2s_direct_tls_ssl: direct,
    component_ports: options.components === undefined ? [] : [ports.component],
    modules_enabled: [...MODULES, ...(options.modules ?? [])],
    modules_disabled: ['s2s'],
    authentication: 'internal_hashed',
    c2s_require_encryption: true,
    ...(options.wantsClientCertificates === true ? { c2s_ssl: verification } : {}),
  };
}

function trustFile(directory: string): string {
  return join(directory, 'trusted.pem');
}

function settings(table: LuaTable): string[] {
  return Object.entries(table).map(([name, value]) => `${name} = ${luaValue(value)}`);
}

function luaValue(value: LuaValue): string {
  if (typeof value === 'string') return luaText(value);
  if (typeof value !== 'object') return String(value);
  const entries = isList(value)
    ? value.map(luaValue)
    : Object.entries(value).map(([key, of]) => `[${luaText(key)}] = ${luaValue(of)}`);
  return `{ ${entries.join('; ')} }`;
}

function isList(value: readonly LuaValue[] | LuaTable): value is readonly LuaValue[] {
  return Array.isArray(value);
}

function luaText(text: string): string {
  return `"${text.replace(/[\\"\n]/g, (character) => `\\${character}`)}"`;
}

/** The name of a file in Prosody's data directory. */
function storedName(name: string): string {
  const escaped = (byte: number) => `%${byte.toString(16).padStart(2, '0')}`;
  return [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[0-9A-Za-z]/.test(character) ? character : escaped(byte);
    })
    .join('');
}

const MODULES = [
  ...['roster', 'saslauth', 'tls', 'disco', 'carbons', 'pep', 'blocklist', 'private', 'vcard4'],
  ...['ping', 'mam', 'smacks', 'csi_simple'],
];
