/**
 * - `invalid_option`: an option of the hub is out of its range.
 * - `invalid_event`: an event cannot be published as it is; nothing was stored.
 * - `too_large`: an event is larger than `maxEventBytes`; nothing was stored.
 * - `invalid_request`: a stream cannot be opened as it was asked for.
 * - `too_many`: a bound of the backend is reached (state keys, dedupe keys); nothing was stored.
 * - `overloaded`: delivery lags behind; try again after a moment.
 * - `unavailable`: the backend is away; whether anything was stored is not known, try again.
 * - `closed`: the hub is closing or closed.
 */
export type HubErrorCode =
  | 'invalid_option'
  | 'invalid_event'
  | 'too_large'
  | 'invalid_request'
  | 'too_many'
  | 'overloaded'
  | 'unavailable'
  | 'closed'

export class HubError extends Error {
  override readonly name = 'HubError'
  readonly code: HubErrorCode
  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
