/** The types of the events that the stream itself sends. */
export const controlTypes = {
  connected: 'stream:connected',
  position: 'stream:position',
  caughtUp: 'stream:caught-up',
  syncRequired: 'stream:sync-required',
  topics: 'stream:topics',
  end: 'stream:end',
  reconnect: 'stream:reconnect',
  shutdown: 'stream:shutdown',
} as const

/** Why a client must fetch its state anew. */
export type SyncReason = 'too_old' | 'epoch_changed' | 'ahead' | 'unknown_id' | 'slow' | 'too_far'

/** Why a stream asks its client to come again. */
export type ReconnectReason = 'overloaded' | 'draining' | 'log_unavailable'

/** The data of each control event, as JSON. `docs/protocol.md` says when each is sent and whether it carries an id. */
export interface ControlData {
  /** First on each stream. `connection` names it, `secret` proves its ownership, `heartbeatMs` is the longest silence to expect. */
  'stream:connected': { readonly connection: string; readonly secret: string; readonly heartbeatMs: number }
  /** Moves the id of a quiet stream on. */
  'stream:position': Record<string, never>
  /**
   * The replay is over. `replayed`: how many events the stream had before it. `partial`: a snapshot was asked for, and
   * topics may be missing in it, because the log had to forget some.
   */
  'stream:caught-up': { readonly replayed: number; readonly partial?: true }
  /** Events may be missing. `from`: the id, as it came, that could not be resumed from; `oldest`: the id after which all that is kept follows. */
  'stream:sync-required': { readonly reason: SyncReason; readonly from: string; readonly oldest: string }
  /** The stream's topics were changed. `revision`: the number that the change was asked for with. */
  'stream:topics': { readonly topics: readonly string[]; readonly revision: number; readonly partial?: true }
  /** The topic is finished: the event before was its last, until somebody publishes to it again. */
  'stream:end': { readonly topic: string }
  /** The stream ends soon: come again after the reconnection time. */
  'stream:reconnect': { readonly reason: ReconnectReason }
  /** The server is going away: come again after the reconnection time. */
  'stream:shutdown': { readonly reason: string }
}

export type ControlType = keyof ControlData
