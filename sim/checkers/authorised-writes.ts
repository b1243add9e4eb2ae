import type { Command, CommandOutcome } from '../../src/reload/command.ts';
import type { CommandId, Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { PersistRecord } from '../../src/storage/persist-record.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { verifyData } from '../../src/tls-auth/data-signature.ts';
import { SignatureRefusal } from '../../src/tls-auth/verified-signer.ts';
import { CertificateType } from '../../src/wire/security-block.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import { type DurableValue, durableValueOf, isValueKey } from './durable-value.ts';
import type { StorageRules } from './storage-rules.ts';
import { mayWrite } from './write-permission.ts';

export interface AuthorisedWritesOptions {
  /** Of the values that become durable, how many are looked at: in [0, 1]. */
  readonly share: number;
}

/**
 * No unauthorised write anywhere (RFC 6940 §7.3, `correctness`): each value that becomes durable at
 * any node bears a true signature of somebody whose certificate is valid by that node's clock, and
 * whom the Kind's policy lets write at that place; and each value or certificate that a command
 * brings home is of somebody who may have written what was asked for. Signatures, chains and
 * policies are checked with an Authenticator and code that no Peer uses.
 */
export class AuthorisedWrites implements Checker {
  readonly name = 'authorised writes';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly rules: StorageRules;
  private readonly share: number;
  private readonly random: SimRandom;
  private readonly commands = new Map<CommandId, { node: SimNode; command: Command }>();

  constructor(
    world: World,
    report: ReportViolation,
    rules: StorageRules,
    options: Partial<AuthorisedWritesOptions> = {},
  ) {
    this.world = world;
    this.report = report;
    this.rules = rules;
    this.share = options.share ?? 1;
    this.random = world.stream('checkers/authorised writes');
  }

  persisted(node: SimNode, records: readonly PersistRecord[]): void {
    for (const record of records) {
      if (record.value === undefined || !isValueKey(record.key)) continue;
      if (this.share < 1 && !this.random.chance(this.share)) continue;
      const read = durableValueOf(record);
      const fault = typeof read === 'object' ? this.valueFault(node, read) : read;
      if (fault !== undefined) this.tell(node, `${record.key} became durable: ${fault}`);
    }
  }

  handled(node: SimNode, input: Input, outputs: readonly Output[]): void {
    if (input.type === 'command') {
      const { id, command } = input;
      if (BRINGS_VALUES.has(command.type)) this.commands.set(id, { node, command });
    }
    if (this.commands.size === 0) return;
    for (const output of outputs) {
      if (output.type !== 'completed') continue;
      const asked = this.commands.get(output.id);
      this.commands.delete(output.id);
      const fault = asked && this.outcomeFault(node, asked.command, output.outcome);
      if (fault !== undefined) this.tell(node, `"${asked?.command.type}" brought ${fault}`);
    }
  }

  stopped(node: SimNode): void {
    for (const [id, asked] of this.commands) if (asked.node === node) this.commands.delete(id);
  }

  private valueFault(node: SimNode, { record, data }: DurableValue): string | undefined {
    const { resource, kind } = record;
    const definition = this.rules.kinds.get(kind);
    if (definition === undefined) return `the Kind 0x${kind.toString(16)} is unknown`;
    const certificates = record.certificates.map((certificate) => ({
      type: CertificateType.x509,
      certificate,
    }));
    const { unixMs } = node.clock.now(this.world.nowMs);
    const { authenticator } = this.rules;
    const signer = verifyData(authenticator, resource, kind, data, certificates, unixMs);
    if (signer instanceof SignatureRefusal) return signer.describe();
    if (mayWrite(definition, resource, data.value, signer.node, signer.nodeId)) return undefined;
    return `${signer.node.userName} (${signer.nodeId}) may not write there`;
  }

  private outcomeFault(
    node: SimNode,
    command: Command,
    outcome: CommandOutcome,
  ): string | undefined {
    if (!outcome.ok) return undefined;
    const { result } = outcome;
    switch (result.type) {
      case 'certificates':
        return firstOf(result.nodes, (found) => this.certificateFault(node, command, found));
      case 'locations':
        return firstOf(result.locations, ({ signer, nodeId }) =>
          command.type === 'locate' &&
          signer.userName === command.userName &&
          signer.nodeIds.includes(nodeId)
            ? this.chainFault(node, signer)
            : `a location of ${signer.userName} for ${nodeId}`,
        );
      case 'values':
        return firstOf(result.values, ({ kind, place, signer }) => {
          if (signer === undefined || command.type !== 'fetch') return undefined;
          const definition = this.rules.kinds.get(kind);
          const isAllowed =
            definition !== undefined &&
            signer.nodeIds.some((id) => mayWrite(definition, command.resource, place, signer, id));
          if (isAllowed) return this.chainFault(node, signer);
          return `a value of ${signer.userName}, who may not write at ${command.resource}`;
        });
      default:
        return undefined;
    }
  }

  private certificateFault(
    node: SimNode,
    command: Command,
    found: AuthenticatedNode,
  ): string | undefined {
    const isRight =
      (command.type === 'lookupByNodeId' && found.nodeIds.includes(command.nodeId)) ||
      (command.type === 'lookupByUserName' &&
        resourceIdOf(found.userName) === resourceIdOf(command.userName));
    if (isRight) return this.chainFault(node, found);
    return `the certificate of ${found.userName} (${found.nodeId})`;
  }

  private chainFault(node: SimNode, { chain }: AuthenticatedNode): string | undefined {
    const [leaf, ...pool] = chain;
    if (leaf === undefined) return 'an empty chain';
    const { unixMs } = node.clock.now(this.world.nowMs);
    const again = this.rules.authenticator.authenticate(leaf, pool, unixMs);
    return again instanceof CertificateRefusal ? again.describe() : undefined;
  }

  private tell(node: SimNode, detail: string): void {
    this.report(violationOf(this.world, this, 'correctness', [node], `${node.name}: ${detail}`));
  }
}

function firstOf<T>(
  list: readonly T[],
  faultOf: (element: T) => string | undefined,
): string | undefined {
  for (const element of list) {
    const fault = faultOf(element);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const BRINGS_VALUES = new Set<Command['type']>([
  'lookupByNodeId',
  'lookupByUserName',
  'locate',
  'fetch',
]);
