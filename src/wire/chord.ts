/** CHORD-RELOAD's own structures: RFC 6940 §10.7 to §10.9. */
import { type Codec, inField, struct, type TypeOf, uint16, vector } from './codec.ts';
import { type NodeId, nodeId } from './node-id.ts';

export const ChordUpdateType = { peerReady: 1, neighbors: 2, full: 3 } as const;

const nodeIdList = vector(uint16, nodeId);

/**
 * ChordUpdate — RFC 6940 §10.7; directly the body of an UpdateReq. `uptime` is in seconds; lists
 * are sent nearest first, `fingers` numerically ascending.
 */
export type ChordUpdate =
  | { readonly type: 'peerReady'; readonly uptime: number }
  | {
      readonly type: 'neighbors';
      readonly uptime: number;
      readonly predecessors: readonly NodeId[];
      readonly successors: readonly NodeId[];
    }
  | {
      readonly type: 'full';
      readonly uptime: number;
      readonly predecessors: readonly NodeId[];
      readonly successors: readonly NodeId[];
      readonly fingers: readonly NodeId[];
    };

export const ChordUpdate: Codec<ChordUpdate> = {
  read(reader) {
    const uptime = inField('ChordUpdate', 'uptime', () => reader.uint32());
    const at = reader.offset;
    const type = inField('ChordUpdate', 'type', () => reader.uint8());
    const list = (field: string) => inField('ChordUpdate', field, () => nodeIdList.read(reader));
    switch (type) {
      case ChordUpdateType.peerReady:
        return { type: 'peerReady', uptime };
      case ChordUpdateType.neighbors:
        return {
          type: 'neighbors',
          uptime,
          predecessors: list('predecessors'),
          successors: list('successors'),
        };
      case ChordUpdateType.full:
        return {
          type: 'full',
          uptime,
          predecessors: list('predecessors'),
          successors: list('successors'),
          fingers: list('fingers'),
        };
      default:
        return inField('ChordUpdate', 'type', () => {
          throw reader.fault(`expected an update type 1, 2 or 3, got ${type}`, at);
        });
    }
  },
  write(writer, update) {
    writer.uint32(update.uptime);
    writer.uint8(ChordUpdateType[update.type]);
    if (update.type === 'peerReady') return;
    nodeIdList.write(writer, [...update.predecessors]);
    nodeIdList.write(writer, [...update.successors]);
    if (update.type === 'full') nodeIdList.write(writer, [...update.fingers]);
  },
};

/** ChordRouteQueryAns — RFC 6940 §10.8. */
export const ChordRouteQueryAns = struct('ChordRouteQueryAns', {
  nextPeer: nodeId, // NodeId next_peer;
});
export type ChordRouteQueryAns = TypeOf<typeof ChordRouteQueryAns>;

export const ChordLeaveType = { fromSucc: 1, fromPred: 2 } as const;

/** ChordLeaveData — RFC 6940 §10.9: the overlay_specific_data of a LeaveReq. */
export type ChordLeaveData =
  | { readonly type: 'fromSucc'; readonly successors: readonly NodeId[] }
  | { readonly type: 'fromPred'; readonly predecessors: readonly NodeId[] };

export const ChordLeaveData: Codec<ChordLeaveData> = {
  read(reader) {
    const at = reader.offset;
    const type = inField('ChordLeaveData', 'type', () => reader.uint8());
    switch (type) {
      case ChordLeaveType.fromSucc:
        return {
          type: 'fromSucc',
          successors: inField('ChordLeaveData', 'successors', () => nodeIdList.read(reader)),
        };
      case ChordLeaveType.fromPred:
        return {
          type: 'fromPred',
          predecessors: inField('ChordLeaveData', 'predecessors', () => nodeIdList.read(reader)),
        };
      default:
        return inField('ChordLeaveData', 'type', () => {
          throw reader.fault(`expected a leave type 1 or 2, got ${type}`, at);
        });
    }
  },
  write(writer, leave) {
    writer.uint8(ChordLeaveType[leave.type]);
    nodeIdList.write(writer, [
      ...(leave.type === 'fromSucc' ? leave.successors : leave.predecessors),
    ]);
  },
};
