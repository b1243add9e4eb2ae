import { InvalidArgumentError } from 'commander';
import { AccessPolicy, type KindDefinition } from '../overlay-config/kind-definition.ts';
import type { OverlayConfiguration } from '../overlay-config/overlay-configuration.ts';
import { REGISTERED_KINDS } from '../overlay-config/registered-kinds.ts';
import type { DataModel, KindId } from '../wire/stored-data.ts';
import { OperatorError } from './operator-error.ts';

/** `--set-kind XMPP-LOCATION:max-count=16,max-size=2048` as it stands on the command line. */
export interface KindWish {
  readonly kindId: KindId;
  readonly fields: Readonly<Record<string, string>>;
}

/** A Kind by its name, or by its Kind-ID, decimal or with 0x. */
export function readKindId(text: string): KindId {
  const registered = REGISTERED_KINDS.get(text);
  if (registered !== undefined) return registered.kindId;
  const kindId = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(kindId) && kindId <= 0xffffffff) return kindId;
  const names = [...REGISTERED_KINDS.keys()].join(', ');
  throw new InvalidArgumentError(`expected a Kind-ID or one of ${names}`);
}

export function readKindWish(text: string, before: readonly KindWish[] = []): KindWish[] {
  const at = text.indexOf(':');
  const fields = at < 0 ? [] : text.slice(at + 1).split(',');
  const entries = fields.map((field) => {
    const [name = '', value] = field.split('=');
    if (value !== undefined && FIELDS.includes(name)) return [name, value] as const;
    throw new InvalidArgumentError(`expected KIND:FIELD=VALUE,… with ${FIELDS.join(', ')}`);
  });
  const kindId = readKindId(at < 0 ? text : text.slice(0, at));
  return [...before, { kindId, fields: Object.fromEntries(entries) }];
}

/**
 * The Kind that is wished: what the wish leaves out is as it is now. Throws OperatorError. Data
 * model and access control of a registered Kind are its registration's (RFC 6940 §11.1).
 */
export function wishedKind(configuration: OverlayConfiguration, wish: KindWish): KindDefinition {
  const { kindId, fields } = wish;
  const present = configuration.kinds.get(kindId);
  const registered = [...REGISTERED_KINDS.values()].find((kind) => kind.kindId === kindId);
  const name = registered?.name ?? `0x${kindId.toString(16)}`;
  const number = (field: string, before: number | undefined): number => {
    const text = fields[field];
    const value = text === undefined ? before : Number(text);
    if (value !== undefined && Number.isInteger(value) && value > 0) return value;
    throw new OperatorError(`the Kind ${name} needs ${field}, a whole number above 0`);
  };
  const limits = {
    maxCount: number('max-count', present?.maxCount),
    maxSizeBytes: number('max-size', present?.maxSizeBytes),
  };
  if (registered !== undefined) {
    if (fields['data-model'] === undefined && fields['access-control'] === undefined) {
      return { ...registered, ...limits };
    }
    throw new OperatorError(
      `data model and access control of ${name} are those of its registration`,
    );
  }
  const accessPolicy = policyOf(fields['access-control'] ?? present?.accessPolicy, name);
  const isMultiple = accessPolicy === AccessPolicy.nodeMultiple;
  return {
    kindId,
    dataModel: modelOf(fields['data-model'] ?? present?.dataModel, name),
    accessPolicy,
    ...limits,
    ...(isMultiple
      ? { maxNodeMultiple: number('max-node-multiple', present?.maxNodeMultiple) }
      : {}),
    findAllowed: true,
  };
}

function policyOf(text: string | undefined, name: string): AccessPolicy {
  const policy = Object.values(AccessPolicy).find((known) => known === text);
  if (policy !== undefined) return policy;
  const known = Object.values(AccessPolicy).join(', ');
  throw new OperatorError(`the Kind ${name} needs access-control, one of ${known}`);
}

function modelOf(text: string | undefined, name: string): DataModel {
  const model = DATA_MODELS.find((known) => known === text?.toLowerCase());
  if (model !== undefined) return model;
  throw new OperatorError(`the Kind ${name} needs data-model, one of ${DATA_MODELS.join(', ')}`);
}

const DATA_MODELS: readonly DataModel[] = ['single', 'array', 'dictionary'];
const FIELDS: readonly string[] = [
  'data-model',
  'access-control',
  'max-count',
  'max-size',
  'max-node-multiple',
];
