/** `<kind-block>`: a Kind and the signature over it — RFC 6940 §11.1. */
import type { DataModel } from '../wire/stored-data.ts';
import { readXml } from '../xml/read-xml.ts';
import { elementBytes, type XmlElement } from '../xml/xml-element.ts';
import { XmlFault } from '../xml/xml-fault.ts';
import { ConfigurationFault, quoted } from './configuration-fault.ts';
import { ElementParts, requiredAttribute } from './element-parts.ts';
import {
  integerFrom,
  oneOf,
  parseInteger,
  placeOf,
  readSignature,
  readSomeText,
  trimXml,
} from './element-values.ts';
import { AccessPolicy, type KindDefinition } from './kind-definition.ts';
import { ConfigurationNamespace } from './namespaces.ts';
import type { ParsedKindBlock } from './parsed-configuration.ts';
import {
  PRIVATE_KIND_ID_MAX,
  PRIVATE_KIND_ID_MIN,
  REGISTERED_KINDS,
  type RegisteredKind,
} from './registered-kinds.ts';

/**
 * One KindDescription of a ConfigUpdate: a kind-block alone, in UTF-8 and with config-base as its
 * default namespace (RFC 6940 §6.5.4.1).
 */
export function parseKindBlock(bytes: Uint8Array): ParsedKindBlock | ConfigurationFault {
  const owned = bytes.slice();
  const root = readXml(owned, { namespaces: { '': ConfigurationNamespace.base } });
  if (root instanceof XmlFault) {
    const place = { element: 'kind-block', line: root.line };
    return new ConfigurationFault('malformed', place, 'well-formed XML', root.detail);
  }
  try {
    if (root.localName !== 'kind-block' || root.namespace !== ConfigurationNamespace.base) {
      const actual = `<${root.localName}> of "${root.namespace}"`;
      throw new ConfigurationFault('malformed', placeOf(root), '<kind-block>', actual);
    }
    return readKindBlock(root, owned);
  } catch (error) {
    if (error instanceof ConfigurationFault) return error;
    throw error;
  }
}

/**
 * A `<kind-block>` of `input`. Throws ConfigurationFault. The grammar would do without the
 * kind-signature; the prose has it as a MUST, and without one a Kind cannot be accepted.
 */
export function readKindBlock(element: XmlElement, input: Uint8Array): ParsedKindBlock {
  const parts = new ElementParts(element, {
    base: { kind: 'once', 'kind-signature': 'once' },
  });
  return {
    definition: parts.required('kind', readKind),
    signature: parts.required('kind-signature', readSignature),
    blockBytes: elementBytes(element, input),
    signedBytes: parts.required('kind', (kind) => elementBytes(kind, input)),
  };
}

function readKind(element: XmlElement): KindDefinition {
  const parts = new ElementParts(element, {
    attributes: ['name', 'id'],
    base: {
      'max-count': 'once',
      'max-size': 'once',
      'max-node-multiple': 'once',
      'data-model': 'once',
      'access-control': 'once',
    },
    foreignElements: true,
  });
  const maxCount = parts.required('max-count', integerFrom(1, INT_MAX));
  const maxSizeBytes = parts.required('max-size', integerFrom(1, INT_MAX));
  // "All of the non-optional values MUST be provided", also where the registration overrides them.
  parts.required('data-model', readSomeText);
  parts.required('access-control', readSomeText);
  const registered = registeredKind(element);
  if (registered !== undefined) return { ...registered, maxCount, maxSizeBytes };
  const [id, place] = requiredAttribute(element, 'id');
  const kindId = parseInteger(id, PRIVATE_KIND_ID_MIN, PRIVATE_KIND_ID_MAX, place);
  return { kindId, maxCount, maxSizeBytes, ...privateModel(parts), findAllowed: true };
}

/**
 * The registration that `name` refers to; undefined for a private Kind, which has an `id` instead.
 * Data model and access control of a registered Kind are the registry's, whatever the document says
 * (RFC 6940 §11.1).
 */
function registeredKind(element: XmlElement): RegisteredKind | undefined {
  const names = element.attributes.filter(({ namespace }) => namespace === '');
  const [only] = names;
  if (names.length !== 1 || only === undefined) {
    const expected = 'either a name or an id';
    throw new ConfigurationFault('invalid', placeOf(element), expected, `${names.length} of them`);
  }
  if (only.localName === 'id') return undefined;
  const name = trimXml(only.value);
  const registered = REGISTERED_KINDS.get(name);
  if (registered !== undefined) return registered;
  const expected = `one of ${[...REGISTERED_KINDS.keys()].join(', ')}`;
  throw new ConfigurationFault('unsupported', placeOf(element, 'name'), expected, quoted(name));
}

/** What the document itself says about a Kind that no registry knows. */
function privateModel(parts: ElementParts) {
  const modelName = parts.required('data-model', oneOf(Object.keys(DATA_MODELS)));
  const dataModel = DATA_MODELS[modelName] ?? 'single';
  const accessPolicy = parts.required('access-control', oneOf(Object.values(AccessPolicy)));
  if (accessPolicy === AccessPolicy.userNodeMatch && dataModel !== 'dictionary') {
    const place = parts.required('data-model', placeOf);
    const expected = 'DICTIONARY with USER-NODE-MATCH (RFC 6940 §7.3.3)';
    throw new ConfigurationFault('invalid', place, expected, modelName);
  }
  if (accessPolicy !== AccessPolicy.nodeMultiple) return { dataModel, accessPolicy };
  const readMultiple = integerFrom(1, NODE_MULTIPLE_MAX);
  const maxNodeMultiple = parts.required('max-node-multiple', readMultiple);
  return { dataModel, accessPolicy, maxNodeMultiple };
}

const DATA_MODELS: Readonly<Record<string, DataModel>> = {
  SINGLE: 'single',
  ARRAY: 'array',
  DICTIONARY: 'dictionary',
};
/** xsd:int. */
const INT_MAX = 0x7fffffff;
/** i is one byte behind the Node-ID in the Resource Name. */
const NODE_MULTIPLE_MAX = 255;
