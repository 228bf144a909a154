/** The types of the events that the stream itself sends. */
export const controlTypes = Object.freeze({
  connected: 'stream:connected',
  position: 'stream:position',
  caughtUp: 'stream:caught-up',
  syncRequired: 'stream:sync-required',
  reconnect: 'stream:reconnect',
  shutdown: 'stream:shutdown',
} as const)

/** Why a client must fetch its state anew. */
export type SyncReason = 'too_old' | 'epoch_changed' | 'ahead' | 'unknown_id' | 'slow' | 'too_far'

/** Why a stream asks its client to come again. */
export type ReconnectReason = 'overloaded' | 'draining' | 'log_unavailable'

/** The data of each control event, as JSON. */
export interface ControlData {
  /** First on each stream. `heartbeatMs`: the longest silence to expect. */
  'stream:connected': { readonly connection: string; readonly secret: string; readonly heartbeatMs: number }
  /** Moves the id of a quiet stream on. */
  'stream:position': Record<string, never>
  /** The replay is over. `replayed`: how many events it had. */
  'stream:caught-up': { readonly replayed: number }
  /** Events may be missing. `from`: the id that could not be resumed from; `oldest`: the id after which all that is kept follows. */
  'stream:sync-required': { readonly reason: SyncReason; readonly from: string; readonly oldest: string }
  'stream:reconnect': { readonly reason: ReconnectReason }
  'stream:shutdown': { readonly reason: string }
}

export type ControlType = keyof ControlData
