/**
 * The same facts about a message from two sources, to be compared: Wireshark's dissection (the text
 * of `tshark -O reload`) and our own. A fact is a name with its values in the order of the wire;
 * numbers are decimal, times in ms, identifiers and byte strings hex.
 */
import type { JsonObject, JsonValue } from '../../src/cli/message-dissection.ts';

export type Facts = Map<string, string[]>;

/** What Wireshark says. Names that have no counterpart in `factsOfJson` are left out. */
export function factsOfDissection(text: string): Facts {
  const facts: Facts = new Map();
  let bytesLabel = '';
  let inHeader = true;
  for (const line of text.split('\n')) {
    const label = /^\s*([\w ]+?) \((\w+)(?:<\d+>)?\)(?:: (.*))?$/.exec(line);
    const bytes = /^\s*data \((string|bytes)\): (.*)$/.exec(line);
    const listed = /^\s*NodeId: ([0-9a-f]+)$/.exec(line);
    const candidateType = /^\s*Ice candidate type: .*\((\d+)\)$/.exec(line);
    if (line.includes('MessageContents')) inHeader = false;
    if (bytes) {
      const [, form, value = ''] = bytes;
      const fact = byteFacts.get(bytesLabel);
      if (fact !== undefined) add(facts, fact, form === 'string' ? hexOfText(value) : value);
    } else if (listed) add(facts, 'nodeId', listed[1] ?? '');
    else if (candidateType) add(facts, 'candidateType', candidateType[1] ?? '');
    else if (label) {
      const [, name = '', type = '', value] = label;
      // A "value" is an IceExtension's behind its name, and else a stored one.
      const isStored = name === 'value' && bytesLabel !== 'name';
      if (value === undefined) bytesLabel = isStored ? '' : name;
      else addLabelled(facts, inHeader, { name, type, value });
    }
  }
  return facts;
}

/** What we say, from the JSON of `dissectLine`. */
export function factsOfJson(json: JsonObject): Facts {
  const facts: Facts = new Map();
  addFields(facts, json);
  return facts;
}

/** Whether Wireshark's value, which it cuts short with "…", is ours. */
export function agrees(wireshark: string, ours: string): boolean {
  return wireshark.endsWith('…') ? ours.startsWith(wireshark.slice(0, -1)) : ours === wireshark;
}

interface Labelled {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

function addLabelled(facts: Facts, inHeader: boolean, { name, type, value }: Labelled): void {
  if (type === 'NodeId') add(facts, 'nodeId', value);
  else if (type === 'HashAlgorithm') add(facts, 'hashAlgorithm', number(value));
  else if (name === 'addr') add(facts, 'address', value);
  else if (name === 'compressed_id') add(facts, 'compressedId', number(value));
  else if (name === 'overlay') add(facts, 'overlay', value.slice(2));
  else if (name.startsWith('trans') && name.endsWith('_id')) {
    add(facts, 'transactionId', value.slice(2));
  } else if (name === 'length') {
    if (inHeader && type === 'uint32') add(facts, 'length', number(value));
  } else {
    const fact = numberFacts.get(name === 'type' ? type : name);
    if (fact !== undefined) add(facts, fact, number(value));
  }
}

/** `1`, `0x0a`, `node (0x01)`, `2 (TURN-SERVICE)`, `True`, or a date, as a decimal number. */
function number(value: string): string {
  if (value === 'True') return '1';
  if (value === 'False') return '0';
  if (value === 'Error') return '65535';
  const date = /^([A-Z][a-z]{2} +\d+, \d{4} [\d:]{8})\.(\d{3})\d* UTC$/.exec(value);
  if (date) return String(Date.parse(`${date[1]} UTC`) + Number(date[2]));
  const leading = /^(0x[0-9a-f]+|\d+)\b/.exec(value)?.[1];
  const inParentheses = /\((0x[0-9a-f]+|\d+)\)$/.exec(value)?.[1];
  return String(Number(leading ?? inParentheses));
}

function addFields(facts: Facts, fields: JsonObject): void {
  // A value of XMPP-LOCATION, which is opaque to Wireshark.
  if (fields.type === 'route') return;
  const probeFact = isProbeInformation(fields) ? probeFacts.get(fields.type) : undefined;
  if (probeFact !== undefined) {
    add(facts, 'probeType', String(fields.type));
    add(facts, probeFact, String(fields.value));
    return;
  }
  const isSignature = 'signatureAlgorithm' in fields;
  for (const [key, value] of Object.entries(fields)) {
    const isIceExtension = key === 'value' && 'name' in fields && !('body' in fields);
    if (key === 'value' && isSignature) add(facts, 'signatureValue', String(value));
    else if (isIceExtension) add(facts, 'extensionValue', String(value));
    else if (key === 'type') addType(facts, fields);
    else addField(facts, key, value);
  }
}

function isProbeInformation(fields: JsonObject): boolean {
  return Object.keys(fields).join() === 'type,value';
}

function addField(facts: Facts, key: string, value: JsonValue): void {
  if (Array.isArray(value)) {
    for (const one of value) addField(facts, key, one);
    return;
  }
  if (typeof value === 'object' && value !== null) {
    addFields(facts, value);
    return;
  }
  const fact = jsonFacts.get(key);
  if (fact === undefined || value === null) return;
  if (key === 'role' || key === 'text') add(facts, fact, hexOfText(String(value)));
  else add(facts, fact, typeof value === 'boolean' ? String(Number(value)) : String(value));
}

/** Our unions name their type in words where Wireshark gives the number too. */
function addType(facts: Facts, fields: JsonObject): void {
  const type = fields.type;
  if ('certificate' in fields) add(facts, 'certificateType', String(type));
  else if ('critical' in fields) add(facts, 'extensionType', String(type));
  else if ('flags' in fields) add(facts, 'optionType', String(type));
  else if ('priority' in fields && 'foundation' in fields) {
    add(facts, 'candidateType', String(type));
  } else if (type === 'compressed') add(facts, 'compressedId', String(fields.id));
  else {
    const known = typeNumbers.get(`${type} ${Object.keys(fields)[1] ?? ''}`);
    if (known !== undefined) add(facts, known[0], known[1]);
  }
}

/** Empty byte strings are left out: Wireshark shows nothing for them. */
function add(facts: Facts, name: string, value: string): void {
  if (value === '') return;
  const values = facts.get(name);
  if (values === undefined) facts.set(name, [value]);
  else values.push(value);
}

function hexOfText(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}

/**
 * Wireshark's label, or its type for labels "type", to the name of a fact. A candidate's priority
 * is not among them: Wireshark 4.0 shows the first four bytes of the candidate instead.
 */
const numberFacts = new Map([
  ['configuration_sequence', 'configurationSequence'],
  ['version', 'version'],
  ['ttl', 'ttl'],
  ['fragment', 'fragment'],
  ['max_response_length', 'maxResponseLength'],
  ['message_code', 'code'],
  ['port', 'port'],
  ['overlay_link', 'overlayLink'],
  ['send_update', 'sendUpdate'],
  ['application', 'application'],
  ['replica_number', 'replicaNumber'],
  ['kind', 'kind'],
  ['generation_counter', 'generation'],
  ['storage_time', 'storageTime'],
  ['lifetime', 'lifetime'],
  ['exists', 'exists'],
  ['iteration', 'iteration'],
  ['index', 'index'],
  ['value_length', 'valueLength'],
  ['uptime', 'uptime'],
  ['responsible_ppb', 'responsiblePpb'],
  ['num_resources', 'numResources'],
  ['response_id', 'responseId'],
  ['time', 'time'],
  ['error_code', 'errorCode'],
  ['critical', 'critical'],
  ['flags', 'flags'],
  ['ProbeInformationType', 'probeType'],
  ['CertificateType', 'certificateType'],
  ['MessageExtensionType', 'extensionType'],
  ['ForwardingOptionType', 'optionType'],
  ['DestinationType', 'destinationType'],
  ['AddressType', 'addressType'],
  ['ChordUpdateType', 'chordUpdateType'],
  ['ConfigUpdateType', 'configUpdateType'],
  ['SignatureAlgorithm', 'signatureAlgorithm'],
  ['identity_type', 'identityType'],
]);

const probeFacts = new Map<unknown, string>([
  [1, 'responsiblePpb'],
  [2, 'numResources'],
  [3, 'uptime'],
]);

/** Wireshark's label of a byte string to the name of a fact. */
const byteFacts = new Map([
  ['ufrag', 'ufrag'],
  ['password', 'password'],
  ['role', 'role'],
  ['foundation', 'foundation'],
  ['name', 'extensionName'],
  ['value', 'extensionValue'],
  ['resource', 'resourceId'],
  ['resource_id', 'resourceId'],
  ['closest', 'resourceId'],
  ['certificate_hash', 'hash'],
  ['signature_value', 'signatureValue'],
  ['hash_value', 'hashValue'],
  ['error_info', 'errorInfo'],
]);

/** Keys of our JSON to the names of facts. */
const jsonFacts = new Map([
  ...[...numberFacts.values(), ...byteFacts.values()].map((name) => [name, name] as const),
  ['overlay', 'overlay'],
  ['transactionId', 'transactionId'],
  ['length', 'length'],
  ['address', 'address'],
  ['generationCounter', 'generation'],
  ['requestedInfo', 'probeType'],
  ['nodeId', 'nodeId'],
  ['nextPeer', 'nodeId'],
  ['joiningPeerId', 'nodeId'],
  ['leavingPeerId', 'nodeId'],
  ['replicas', 'nodeId'],
  ['predecessors', 'nodeId'],
  ['successors', 'nodeId'],
  ['fingers', 'nodeId'],
  ['resource', 'resourceId'],
  ['closest', 'resourceId'],
  ['hashAlgorithm', 'hashAlgorithm'],
  ['name', 'extensionName'],
  ['text', 'errorInfo'],
]);

/** `type` and the key after it to the fact and the number on the wire. */
const typeNumbers = new Map<string, readonly [string, string]>([
  ['node nodeId', ['destinationType', '1']],
  ['resource resourceId', ['destinationType', '2']],
  ['opaque id', ['destinationType', '3']],
  ['ipv4 address', ['addressType', '1']],
  ['ipv6 address', ['addressType', '2']],
  ['peerReady uptime', ['chordUpdateType', '1']],
  ['neighbors uptime', ['chordUpdateType', '2']],
  ['full uptime', ['chordUpdateType', '3']],
  ['config configData', ['configUpdateType', '1']],
  ['kind kinds', ['configUpdateType', '2']],
  ['certHash hashAlgorithm', ['identityType', '1']],
  ['certHashNodeId hashAlgorithm', ['identityType', '2']],
  ['none ', ['identityType', '3']],
]);
