import type { NodeId } from '../wire/node-id.ts';
import type { AccountName } from './account-name.ts';
import type {
  AccountAdded,
  AccountChanged,
  AuthorityCertified,
  CertificateIssued,
  RegisterEvent,
} from './register-event.ts';
import type { RevocationReason } from './revocation-reason.ts';

/** A user who may enroll devices. */
export interface Account {
  readonly userName: AccountName;
  readonly passwordHash: string;
  readonly devicesMax: number;
}

export interface Revocation {
  readonly reason: RevocationReason;
  readonly unixMs: number;
}

/** A certificate of the ledger and what became of it. */
export interface RegisteredCertificate extends CertificateIssued {
  readonly revocation: Revocation | undefined;
}

/** The certificate of an authority below this one and what became of it. */
export interface RegisteredAuthority extends AuthorityCertified {
  readonly revocation: Revocation | undefined;
}

/** A certificate of either kind that is on a revocation list. */
export interface RevokedCertificate {
  readonly serialNumber: string;
  readonly notAfterUnixMs: number;
  readonly revocation: Revocation;
}

/** The Node-IDs of one device of a user and all certificates that it ever had. */
export interface Device {
  readonly userName: AccountName;
  readonly nodeIds: readonly NodeId[];
  /** Oldest first. */
  readonly serialNumbers: readonly string[];
}

/**
 * What the authority remembers, rebuilt from the ledger's events: accounts, devices with their
 * Node-IDs (RFC 6940 §11.3: "The enrollment server SHOULD maintain a mapping of users to
 * Node-IDs"), certificates and revocations.
 */
export class CertificateRegister {
  private readonly accountsByName = new Map<AccountName, Account>();
  private readonly certificatesBySerial = new Map<string, RegisteredCertificate>();
  private readonly devicesByNode = new Map<NodeId, MutableDevice>();
  private readonly devicesByKey = new Map<string, MutableDevice>();
  private readonly devicesByUser = new Map<AccountName, MutableDevice[]>();
  private readonly authoritiesBySerial = new Map<string, RegisteredAuthority>();
  private readonly revokedSerials = new Set<string>();
  private lastRevocationListNumber = 0;

  /** What an event contradicts, as a sentence; undefined when it may be applied. */
  faultOf(event: RegisterEvent): string | undefined {
    if (event.type === 'certificateIssued') return this.faultOfIssued(event);
    if (event.type === 'authorityCertified') return this.faultOfAuthority(event);
    if (event.type === 'certificateRevoked' && !this.isIssued(event.serialNumber)) {
      return `serial number ${event.serialNumber} was never issued`;
    }
    return undefined;
  }

  /** Takes an event that is in the ledger. Throws RangeError where `faultOf` finds something. */
  apply(event: RegisterEvent): void {
    const fault = this.faultOf(event);
    if (fault !== undefined) throw new RangeError(fault);
    switch (event.type) {
      case 'accountAdded':
      case 'accountChanged':
        this.applyAccount(event);
        return;
      case 'accountRemoved':
        this.accountsByName.delete(event.userName);
        return;
      case 'certificateIssued':
        this.applyIssued(event);
        return;
      case 'authorityCertified':
        this.authoritiesBySerial.set(event.serialNumber, { ...event, revocation: undefined });
        return;
      case 'certificateRevoked':
        this.applyRevoked(event.serialNumber, { reason: event.reason, unixMs: event.unixMs });
        return;
      case 'revocationListIssued':
        this.lastRevocationListNumber = Math.max(this.lastRevocationListNumber, event.number);
    }
  }

  account(userName: string): Account | undefined {
    return this.accountsByName.get(userName as AccountName);
  }

  accounts(): Iterable<Account> {
    return this.accountsByName.values();
  }

  get accountCount(): number {
    return this.accountsByName.size;
  }

  /** In the order of issue. */
  certificates(): Iterable<RegisteredCertificate> {
    return this.certificatesBySerial.values();
  }

  get certificateCount(): number {
    return this.certificatesBySerial.size;
  }

  /** Of nodes and of authorities. */
  get issuedCount(): number {
    return this.certificatesBySerial.size + this.authoritiesBySerial.size;
  }

  /** Authorities below this one, in the order of issue. */
  authorities(): Iterable<RegisteredAuthority> {
    return this.authoritiesBySerial.values();
  }

  authority(serialNumber: string): RegisteredAuthority | undefined {
    return this.authoritiesBySerial.get(serialNumber);
  }

  certificate(serialNumber: string): RegisteredCertificate | undefined {
    return this.certificatesBySerial.get(serialNumber);
  }

  deviceOfKey(publicKeySha256: string): Device | undefined {
    return this.devicesByKey.get(publicKeySha256);
  }

  deviceOfNode(nodeId: NodeId): Device | undefined {
    return this.devicesByNode.get(nodeId);
  }

  devicesOf(userName: AccountName): readonly Device[] {
    return this.devicesByUser.get(userName) ?? [];
  }

  certificatesOf(device: Device): readonly RegisteredCertificate[] {
    return device.serialNumbers.flatMap((serial) => this.certificatesBySerial.get(serial) ?? []);
  }

  /** Devices of a user that hold a certificate in force. */
  activeDevicesOf(userName: AccountName, unixMs: number): readonly Device[] {
    return this.devicesOf(userName).filter((device) =>
      this.certificatesOf(device).some((certificate) => isInForce(certificate, unixMs)),
    );
  }

  *revoked(): Iterable<RevokedCertificate> {
    for (const serialNumber of this.revokedSerials) {
      const certificate = this.eitherKind(serialNumber);
      if (certificate?.revocation === undefined) continue;
      const { notAfterUnixMs, revocation } = certificate;
      yield { serialNumber, notAfterUnixMs, revocation };
    }
  }

  /** The highest cRLNumber given to a list so far; 0 before the first. */
  get revocationListNumber(): number {
    return this.lastRevocationListNumber;
  }

  private applyAccount(event: AccountAdded | AccountChanged): void {
    const { userName, passwordHash, devicesMax } = event;
    this.accountsByName.set(userName, { userName, passwordHash, devicesMax });
  }

  private faultOfIssued(event: CertificateIssued): string | undefined {
    const { serialNumber, publicKeySha256: key, userName } = event;
    if (this.isIssued(serialNumber)) {
      return `serial number ${serialNumber} was issued before`;
    }
    const holders = new Set(event.nodeIds.map((nodeId) => this.devicesByNode.get(nodeId)));
    const [device] = holders;
    const isOneDevice =
      holders.size === 1 &&
      (device === undefined || device.nodeIds.length === event.nodeIds.length);
    if (!isOneDevice) return `the Node-IDs ${event.nodeIds.join(', ')} are not one device`;
    if (device !== undefined && device.userName !== userName) {
      return `Node-ID ${event.nodeIds[0]} belongs to ${device.userName}`;
    }
    const keyHolder = this.devicesByKey.get(key) ?? device;
    return keyHolder === device ? undefined : `the key ${key} belongs to another device`;
  }

  /** A name is one key's: RFC 5280 §4.1.2.6 lets a name belong to one entity. */
  private faultOfAuthority(event: AuthorityCertified): string | undefined {
    if (this.isIssued(event.serialNumber)) {
      return `serial number ${event.serialNumber} was issued before`;
    }
    for (const { commonName, publicKeySha256 } of this.authoritiesBySerial.values()) {
      if (commonName === event.commonName && publicKeySha256 !== event.publicKeySha256) {
        return `another authority is called "${commonName}"`;
      }
    }
    return undefined;
  }

  private isIssued(serialNumber: string): boolean {
    return this.eitherKind(serialNumber) !== undefined;
  }

  private eitherKind(
    serialNumber: string,
  ): RegisteredCertificate | RegisteredAuthority | undefined {
    return (
      this.certificatesBySerial.get(serialNumber) ?? this.authoritiesBySerial.get(serialNumber)
    );
  }

  private applyIssued(event: CertificateIssued): void {
    const [known] = event.nodeIds.flatMap((nodeId) => this.devicesByNode.get(nodeId) ?? []);
    const device = known ?? this.newDevice(event);
    device.serialNumbers.push(event.serialNumber);
    this.devicesByKey.set(event.publicKeySha256, device);
    this.certificatesBySerial.set(event.serialNumber, { ...event, revocation: undefined });
  }

  private newDevice(event: CertificateIssued): MutableDevice {
    const { userName, nodeIds } = event;
    const device: MutableDevice = { userName, nodeIds, serialNumbers: [] };
    for (const nodeId of nodeIds) this.devicesByNode.set(nodeId, device);
    const devices = this.devicesByUser.get(userName) ?? [];
    devices.push(device);
    this.devicesByUser.set(userName, devices);
    return device;
  }

  private applyRevoked(serialNumber: string, revocation: Revocation): void {
    const certificate = this.certificatesBySerial.get(serialNumber);
    const authority = this.authoritiesBySerial.get(serialNumber);
    if ((certificate ?? authority)?.revocation !== undefined) return;
    if (certificate !== undefined) {
      this.certificatesBySerial.set(serialNumber, { ...certificate, revocation });
    }
    if (authority !== undefined) {
      this.authoritiesBySerial.set(serialNumber, { ...authority, revocation });
    }
    this.revokedSerials.add(serialNumber);
  }
}

/** Neither revoked nor expired. */
export function isInForce(
  certificate: Pick<RegisteredCertificate, 'revocation' | 'notAfterUnixMs'>,
  unixMs: number,
): boolean {
  return certificate.revocation === undefined && certificate.notAfterUnixMs >= unixMs;
}

interface MutableDevice extends Device {
  readonly serialNumbers: string[];
}
