import fc from 'fast-check';
import { ChordLeaveData, ChordRouteQueryAns, ChordUpdate } from '../../src/wire/chord.ts';
import { ConfigUpdateReq } from '../../src/wire/config-update.ts';
import { ErrorResponse, UnknownKinds } from '../../src/wire/error-response.ts';
import {
  JoinAns,
  JoinReq,
  LeaveReq,
  PingAns,
  PingReq,
  ProbeAns,
  ProbeInformation,
  ProbeReq,
  RouteQueryReq,
} from '../../src/wire/topology.ts';
import { anyDestination } from './address-cases.ts';
import {
  anyNodeId,
  anyUint8,
  anyUint16,
  anyUint32,
  anyUint64,
  ascii,
  bytesUpTo,
  hexBytes,
  listOf,
  NODE_1,
  NODE_2,
  record,
  structCase,
} from './struct-case.ts';

const anyNodeIds = listOf(anyNodeId);

const anyProbeInformation: fc.Arbitrary<ProbeInformation> = fc.oneof(
  record({ type: fc.integer({ min: 1, max: 3 }), value: anyUint32 }),
  record({ type: fc.integer({ min: 4, max: 255 }), data: bytesUpTo(40) }),
);

const anyUpdate: fc.Arbitrary<ChordUpdate> = fc.oneof(
  record({ type: fc.constant('peerReady' as const), uptime: anyUint32 }),
  record({
    type: fc.constant('neighbors' as const),
    uptime: anyUint32,
    predecessors: anyNodeIds,
    successors: anyNodeIds,
  }),
  record({
    type: fc.constant('full' as const),
    uptime: anyUint32,
    predecessors: anyNodeIds,
    successors: anyNodeIds,
    fingers: anyNodeIds,
  }),
);

const anyLeave: fc.Arbitrary<ChordLeaveData> = fc.oneof(
  record({ type: fc.constant('fromSucc' as const), successors: anyNodeIds }),
  record({ type: fc.constant('fromPred' as const), predecessors: anyNodeIds }),
);

const anyConfigUpdate: fc.Arbitrary<ConfigUpdateReq> = fc.oneof(
  record({ type: fc.constant('config' as const), configData: bytesUpTo(80) }),
  record({ type: fc.constant('kind' as const), kinds: listOf(bytesUpTo(40)) }),
);

/** RFC 6940 §6.4.2. */
const methodCases = [
  structCase('JoinReq', 'RFC 6940 §6.4.2.1', {
    codec: JoinReq,
    vector: `${NODE_1} 0002 abcd`,
    value: { joiningPeerId: NODE_1, overlaySpecificData: hexBytes('abcd') },
    arbitrary: record({ joiningPeerId: anyNodeId, overlaySpecificData: bytesUpTo(40) }),
  }),
  structCase('JoinAns', 'RFC 6940 §6.4.2.1', {
    codec: JoinAns,
    vector: '0000',
    value: { overlaySpecificData: hexBytes('') },
    arbitrary: record({ overlaySpecificData: bytesUpTo(40) }),
  }),
  structCase('LeaveReq', 'RFC 6940 §6.4.2.2', {
    codec: LeaveReq,
    vector: `${NODE_1} 0003 01 0000`,
    value: { leavingPeerId: NODE_1, overlaySpecificData: hexBytes('010000') },
    arbitrary: record({ leavingPeerId: anyNodeId, overlaySpecificData: bytesUpTo(40) }),
  }),
  structCase('RouteQueryReq', 'RFC 6940 §6.4.2.4.1', {
    codec: RouteQueryReq,
    vector: `01 01 10 ${NODE_1} 0000`,
    value: {
      sendUpdate: true,
      destination: { type: 'node', nodeId: NODE_1 },
      overlaySpecificData: hexBytes(''),
    },
    arbitrary: record({
      sendUpdate: fc.boolean(),
      destination: anyDestination,
      overlaySpecificData: bytesUpTo(40),
    }),
  }),
  structCase('ProbeReq', 'RFC 6940 §6.4.2.5.1', {
    codec: ProbeReq,
    vector: '03 01 02 03',
    value: { requestedInfo: [1, 2, 3] },
    arbitrary: record({ requestedInfo: listOf(anyUint8, 255) }),
  }),
  structCase('ProbeInformation', 'RFC 6940 §6.4.2.5.2', {
    codec: ProbeInformation,
    vector: '02 04 00000007',
    value: { type: 2, value: 7 },
    arbitrary: anyProbeInformation,
  }),
  structCase('ProbeAns', 'RFC 6940 §6.4.2.5.2', {
    codec: ProbeAns,
    vector: '000f 01 04 1dcd6500 03 04 0000003c 09 01 ff',
    value: {
      probeInfo: [
        { type: 1, value: 500_000_000 },
        { type: 3, value: 60 },
        { type: 9, data: hexBytes('ff') },
      ],
    },
    arbitrary: record({ probeInfo: listOf(anyProbeInformation) }),
  }),
  structCase('PingReq', 'RFC 6940 §6.5.3.1', {
    codec: PingReq,
    vector: '0003 616263',
    value: { padding: ascii('abc') },
    arbitrary: record({ padding: bytesUpTo(80) }),
  }),
  structCase('PingAns', 'RFC 6940 §6.5.3.2', {
    codec: PingAns,
    vector: '0123456789abcdef 0000018bcfe56800',
    value: { responseId: 0x0123456789abcdefn, time: 1_700_000_000_000n },
    arbitrary: record({ responseId: anyUint64, time: anyUint64 }),
  }),
];

/** RFC 6940 §10.7 to §10.9. */
const chordCases = [
  structCase('ChordUpdate peer_ready', 'RFC 6940 §10.7', {
    codec: ChordUpdate,
    vector: '0000003c 01',
    value: { type: 'peerReady', uptime: 60 },
    arbitrary: anyUpdate,
  }),
  structCase('ChordUpdate neighbors', 'RFC 6940 §10.7', {
    codec: ChordUpdate,
    vector: `0000003c 02 0010 ${NODE_1} 0020 ${NODE_2} ${NODE_1}`,
    value: {
      type: 'neighbors',
      uptime: 60,
      predecessors: [NODE_1],
      successors: [NODE_2, NODE_1],
    },
    arbitrary: anyUpdate,
  }),
  structCase('ChordUpdate full', 'RFC 6940 §10.7', {
    codec: ChordUpdate,
    vector: `00000000 03 0000 0000 0010 ${NODE_2}`,
    value: { type: 'full', uptime: 0, predecessors: [], successors: [], fingers: [NODE_2] },
    arbitrary: anyUpdate,
  }),
  structCase('ChordRouteQueryAns', 'RFC 6940 §10.8', {
    codec: ChordRouteQueryAns,
    vector: NODE_2,
    value: { nextPeer: NODE_2 },
    arbitrary: record({ nextPeer: anyNodeId }),
  }),
  structCase('ChordLeaveData from_succ', 'RFC 6940 §10.9', {
    codec: ChordLeaveData,
    vector: `01 0010 ${NODE_2}`,
    value: { type: 'fromSucc', successors: [NODE_2] },
    arbitrary: anyLeave,
  }),
  structCase('ChordLeaveData from_pred', 'RFC 6940 §10.9', {
    codec: ChordLeaveData,
    vector: `02 0020 ${NODE_1} ${NODE_2}`,
    value: { type: 'fromPred', predecessors: [NODE_1, NODE_2] },
    arbitrary: anyLeave,
  }),
];

const administrationCases = [
  structCase('ConfigUpdateReq config', 'RFC 6940 §6.5.4.1', {
    codec: ConfigUpdateReq,
    vector: '01 00000007 000004 3c612f3e',
    value: { type: 'config', configData: ascii('<a/>') },
    arbitrary: anyConfigUpdate,
  }),
  structCase('ConfigUpdateReq kind', 'RFC 6940 §6.5.4.1', {
    codec: ConfigUpdateReq,
    vector: '02 0000000c 000009 0004 3c612f3e 0001 20',
    value: { type: 'kind', kinds: [ascii('<a/>'), ascii(' ')] },
    arbitrary: anyConfigUpdate,
  }),
  structCase('ErrorResponse', 'RFC 6940 §6.3.3.1', {
    codec: ErrorResponse,
    vector: '0003 0004 6e6f7065',
    value: { errorCode: 3, errorInfo: ascii('nope') },
    arbitrary: record({ errorCode: anyUint16, errorInfo: bytesUpTo(80) }),
  }),
  structCase('UnknownKinds', 'RFC 6940 §7.4.1.2', {
    codec: UnknownKinds,
    vector: '08 00000005 f0000001',
    value: { kinds: [5, 0xf0000001] },
    arbitrary: record({ kinds: listOf(anyUint32, 63) }),
  }),
];

export const topologyCases = [...methodCases, ...chordCases, ...administrationCases];
