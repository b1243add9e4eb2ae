import type { PersistRecord } from '../../storage/persist-record.ts';
import type { Certificate } from '../../tls-auth/certificate.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { SessionId } from '../client-session/local-sessions.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import { removal, type StoredRecord } from '../routing/routing-records.ts';
import { type ClientCertificateJudge, isAccepted } from '../sasl/client-certificate.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { readBase64, readClientCertificate, readName } from './certificate-admission.ts';
import {
  type CertificateCommand,
  type CertificateOutcome,
  type CertificateRefused,
  type IssueOutcome,
  type ListedCertificate,
  refused,
} from './certificate-command.ts';
import { type CertificateChange, pushChange } from './certificate-push.ts';
import { readCertificateRecord } from './certificate-records.ts';
import { CertificateRegister, type CertificateSelector } from './certificate-register.ts';
import {
  endSessionsOn,
  REVOKED,
  type SessionsByCertificate,
  usersByFingerprint,
} from './certificate-sessions.ts';
import { OPEN_REQUESTS_MAX, SWEEP_MS } from './client-certificate-limits.ts';
import { type CertificatePolicy, judgeByRegister } from './register-judge.ts';
import {
  type CertificateSource,
  certificateOf,
  hasExpired,
  type RegisteredCertificate,
  registered,
  signedHashOf,
} from './registered-certificate.ts';

export interface ClientCertificatesOptions {
  readonly environment: XmppEnvironment;
  /** The bare JID whose certificates these are. */
  readonly user: Jid;
  readonly policy: CertificatePolicy;
  readonly judgeByOverlay: ClientCertificateJudge;
  /** Those of the register that a former run has left. */
  readonly records: Iterable<StoredRecord>;
  readonly sessions: () => SessionsByCertificate;
}

type Then = (outcome: CertificateOutcome) => void;

interface OpenRequest {
  readonly name: string;
  readonly mayManage: boolean;
  readonly by: SessionId | undefined;
  readonly then: Then;
}

/**
 * The client certificates of the user: who may log in with which, and the changes that every
 * interface asks for. A change counts at once, and is answered when it is on disk.
 */
export class ClientCertificates {
  readonly judge: ClientCertificateJudge;
  private readonly options: ClientCertificatesOptions;
  private readonly register: CertificateRegister;
  private readonly damaged: string[] = [];
  private readonly requests = new Map<number, OpenRequest>();
  private lastRequest = 0;
  /** By which changes are written and told; there from before the start. */
  routing: RoutingContext | undefined;

  constructor(options: ClientCertificatesOptions) {
    this.options = options;
    this.register = new CertificateRegister(this.restored(options.records));
    const { user, policy, judgeByOverlay } = options;
    this.judge = judgeByRegister(this.register, user, policy, judgeByOverlay);
  }

  start(): void {
    this.write(this.damaged.map(removal));
    this.sweep();
  }

  /**
   * Carries out a command of a session, or of whoever holds the peer; `then` is called once, when
   * what must outlive a crash is on disk.
   */
  perform(command: CertificateCommand, by: SessionId | undefined, then: Then): void {
    if (command.type === 'list') return then({ ok: true, certificates: this.listed() });
    const refusal = this.managementRefusal(by);
    if (refusal !== undefined) return then(refusal);
    switch (command.type) {
      case 'add':
        return this.add(command, by, then);
      case 'issue':
        return this.issue(command, by, then);
      case 'disable':
      case 'revoke':
        return this.putOutOfUse(command.which, command.type, by, then);
    }
  }

  /** The host's issuer has answered. */
  issued(request: number, outcome: IssueOutcome): void {
    const open = this.requests.get(request);
    this.requests.delete(request);
    if (open === undefined) return;
    if (!outcome.ok) return open.then(outcome);
    // Whoever asked may have been revoked meanwhile.
    const refusal = this.managementRefusal(open.by);
    if (refusal !== undefined) return open.then(refusal);
    const certificate = this.admitted(outcome.certificate);
    if ('ok' in certificate) return open.then(certificate);
    const { register } = this;
    if (register.withKey(registeredAs(certificate, 'issued', open).keyHash) !== undefined) {
      const reason = 'this key has a certificate already; see the list, or make another key';
      return open.then(refused('conflict', reason));
    }
    this.keep(certificate, 'issued', open, open.then);
  }

  /** A client has logged in with this: DER, the leaf first. */
  used(shown: readonly Uint8Array[]): void {
    const { unixMs } = this.options.environment;
    const known = this.knownOf(shown);
    if (known !== undefined) this.write(this.register.used(known.fingerprint, unixMs));
  }

  /**
   * Knows a certificate of the overlay from now on: the peer's own, or that of a client that came
   * with it. There is none for what cannot be read, or where there is no room.
   */
  overlayCertificate(der: Uint8Array): RegisteredCertificate | undefined {
    const certificate = certificateOf(der);
    if (certificate === undefined) return undefined;
    const known = this.register.withSignedHash(signedHashOf(certificate));
    if (known !== undefined) return known;
    if (this.register.roomFault(der.length) !== undefined) return undefined;
    const said = { name: this.freeName(overlayName(certificate)), mayManage: true };
    const added = this.entryOf(certificate, 'overlay', said);
    this.write(this.register.set(added));
    return added;
  }

  /** What is said of a certificate that a client came with; it may be gone from the register. */
  private knownOf(shown: readonly Uint8Array[]): RegisteredCertificate | undefined {
    const [leaf] = shown;
    const known = leaf && this.register.ofLeaf(leaf);
    if (leaf === undefined || known !== undefined) return known;
    const { judgeByOverlay, environment } = this.options;
    const verdict = judgeByOverlay(shown, environment.unixMs, 'session');
    return isAccepted(verdict) ? this.overlayCertificate(leaf) : undefined;
  }

  /** Why a session may not change anything; a session with a password may. */
  private managementRefusal(by: SessionId | undefined): CertificateRefused | undefined {
    if (by === undefined) return undefined;
    const login = this.options.sessions().loginOf(by);
    if (login === undefined) return refused('not-allowed', 'log in with TLS and SASL first');
    if (login.certificates === undefined) return undefined;
    const known = this.knownOf(login.certificates);
    if (known?.mayManage === true && known.state !== 'revoked') return undefined;
    const reason = 'who logs in with this certificate may not manage certificates';
    return refused('not-allowed', reason);
  }

  private add(
    command: Extract<CertificateCommand, { type: 'add' }>,
    by: SessionId | undefined,
    then: Then,
  ): void {
    const name = this.newName(command.name);
    if (typeof name !== 'string') return then(name);
    const der = readBase64(command.certificate, 'the certificate');
    if ('ok' in der) return then(der);
    const certificate = this.admitted(der);
    if ('ok' in certificate) return then(certificate);
    if (this.options.policy === 'authority' && !this.isOfAuthority(der)) {
      const reason = 'certificates of an authority alone are taken here, and it is none of those';
      return then(refused('not-acceptable', reason));
    }
    this.keep(certificate, 'upload', { name, mayManage: command.mayManage, by }, then);
  }

  private issue(
    command: Extract<CertificateCommand, { type: 'issue' }>,
    by: SessionId | undefined,
    then: Then,
  ): void {
    const name = this.newName(command.name);
    if (typeof name !== 'string') return then(name);
    const signingRequest = readBase64(command.signingRequest, 'the request');
    if ('ok' in signingRequest) return then(signingRequest);
    const isBusy = this.requests.size >= OPEN_REQUESTS_MAX;
    const fault = isBusy ? 'too many requests at once; try again' : this.register.roomFault(0);
    if (fault !== undefined) return then(refused('resource-constraint', fault));
    this.lastRequest += 1;
    const { mayManage } = command;
    this.requests.set(this.lastRequest, { name, mayManage, by, then });
    const { environment } = this.options;
    environment.output({ type: 'issueCertificate', request: this.lastRequest, signingRequest });
  }

  /** One that may be in the register, or why not. */
  private admitted(der: Uint8Array): Certificate | CertificateRefused {
    const { user, environment, judgeByOverlay } = this.options;
    const certificate = readClientCertificate(der, user, environment.unixMs);
    if ('ok' in certificate) return certificate;
    const verdict = judgeByOverlay([der], environment.unixMs, 'login');
    if (!isAccepted(verdict) && verdict.isRevoked === true) {
      return refused('not-acceptable', 'its authority has revoked it; make a new one');
    }
    const known = this.register.withSignedHash(signedHashOf(certificate));
    if (known?.state === 'active') {
      return refused('conflict', `this certificate is there already, as "${known.name}"`);
    }
    if (known !== undefined) {
      return refused('not-acceptable', `the certificate is ${known.state}; make a new one`);
    }
    const { keyHash } = registeredAs(certificate, 'upload', { name: '', mayManage: false });
    if (this.register.hasRevokedKey(keyHash)) {
      return refused('not-acceptable', 'its key is that of a revoked certificate; make a new key');
    }
    const fault = this.register.roomFault(der.length) ?? this.routing?.writes.refusal();
    return fault === undefined ? certificate : refused('resource-constraint', fault);
  }

  private keep(
    certificate: Certificate,
    source: CertificateSource,
    said: {
      readonly name: string;
      readonly mayManage: boolean;
      readonly by: SessionId | undefined;
    },
    then: Then,
  ): void {
    const added = this.entryOf(certificate, source, said);
    this.write(this.register.set(added), () => {
      then({ ok: true, certificates: [this.shown(added)] });
      this.tell(added, 'added', said.by);
    });
  }

  private putOutOfUse(
    selector: CertificateSelector,
    type: 'disable' | 'revoke',
    by: SessionId | undefined,
    then: Then,
  ): void {
    const state = type === 'revoke' ? 'revoked' : 'disabled';
    const found = this.register.find(normalized(selector));
    if (found === undefined || (type === 'disable' && found.state === 'revoked')) {
      return then(refused('item-not-found', 'there is no such certificate; see the list'));
    }
    const { sessions } = this.options;
    const records = found.state === state ? [] : this.register.setState(found, state);
    const changed = { ...found, state } as const;
    const shown = this.shown(changed);
    // Who asks gets the answer before its own session ends.
    if (type === 'revoke') endSessionsOn(sessions(), this.register, changed, by);
    this.write(records, () => {
      then({ ok: true, certificates: [shown] });
      if (records.length > 0) this.tell(changed, state, by);
      if (type === 'revoke' && by !== undefined) this.endOwn(by, changed);
    });
  }

  private endOwn(by: SessionId, certificate: RegisteredCertificate): void {
    const sessions = this.options.sessions();
    const [leaf] = sessions.loginOf(by)?.certificates ?? [];
    if (leaf === undefined) return;
    if (this.register.ofLeaf(leaf)?.fingerprint !== certificate.fingerprint) return;
    sessions.end(by, 'reset', REVOKED);
  }

  /** A name that can be given, or why it cannot. */
  private newName(given: string): string | CertificateRefused {
    const name = readName(given);
    if (typeof name !== 'string') return name;
    const isOpen = [...this.requests.values()].some((open) => open.name === name);
    if (!isOpen && this.register.withName(name) === undefined) return name;
    return refused('conflict', 'another certificate has this name; choose another name');
  }

  private freeName(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.register.withName(name) !== undefined; n++) name = `${wanted} (${n})`;
    return name;
  }

  private isOfAuthority(der: Uint8Array): boolean {
    const { judgeByOverlay, environment } = this.options;
    return isAccepted(judgeByOverlay([der], environment.unixMs, 'login'));
  }

  private listed(): ListedCertificate[] {
    const users = this.users();
    return this.register.listed().map((certificate) => this.shown(certificate, users));
  }

  private shown(certificate: RegisteredCertificate, users = this.users()): ListedCertificate {
    const isExpired = hasExpired(certificate, this.options.environment.unixMs);
    return { ...certificate, isExpired, users: users.get(certificate.fingerprint) ?? [] };
  }

  private users(): ReadonlyMap<string, readonly string[]> {
    return usersByFingerprint(this.options.sessions(), this.register);
  }

  private entryOf(
    certificate: Certificate,
    source: CertificateSource,
    said: { readonly name: string; readonly mayManage: boolean },
  ): RegisteredCertificate {
    const addedUnixMs = this.options.environment.unixMs;
    return { ...registeredAs(certificate, source, said), addedUnixMs };
  }

  private tell(
    certificate: RegisteredCertificate,
    change: CertificateChange,
    by: SessionId | undefined,
  ): void {
    const { name, fingerprint } = certificate;
    this.options.environment.event({ type: 'clientCertificate', change, name, fingerprint });
    if (this.routing !== undefined) pushChange(this.routing, certificate, change, by);
  }

  private write(records: readonly PersistRecord[], then?: () => void): void {
    this.routing?.writes.write(records, then);
  }

  private sweep(): void {
    const { environment } = this.options;
    this.write(this.register.sweep(environment.unixMs));
    environment.setDeadline('expired client certificates', SWEEP_MS, () => this.sweep());
  }

  private *restored(records: Iterable<StoredRecord>): Generator<RegisteredCertificate> {
    for (const record of records) {
      const certificate = readCertificateRecord(record);
      if (certificate !== undefined) yield certificate;
      else {
        this.damaged.push(record.key);
        this.options.environment.event({ type: 'recordDropped', key: record.key });
      }
    }
  }
}

/** The common name of a node's certificate is its Node-ID, as this project's authority has it. */
function overlayName(certificate: Certificate): string {
  const hash = certificate.sha256.slice(0, NAME_HASH_DIGITS);
  const [commonName = ''] = certificate.subject.attributeTexts(COMMON_NAME_OID);
  return PLAIN_NAME.test(commonName) ? `overlay ${commonName} ${hash}` : `overlay ${hash}`;
}

function registeredAs(
  certificate: Certificate,
  source: CertificateSource,
  { name, mayManage }: { readonly name: string; readonly mayManage: boolean },
): RegisteredCertificate {
  const said = { source, name, mayManage, state: 'active', addedUnixMs: 0 } as const;
  return registered(certificate, { ...said, lastUsedUnixMs: undefined });
}

function normalized(selector: CertificateSelector): CertificateSelector {
  if (!('name' in selector)) return selector;
  const name = readName(selector.name);
  return typeof name === 'string' ? { name } : selector;
}

const PLAIN_NAME = /^[\w.@-]{1,64}$/;
const COMMON_NAME_OID = '2.5.4.3';
/** Hex digits of the fingerprint in the name of a certificate that nobody has named. */
const NAME_HASH_DIGITS = 8;
