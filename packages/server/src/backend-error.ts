/**
 * - `closed`: what was called was closed; final.
 * - `unavailable`: the backend is away; try again later.
 * - `invalid`: an argument breaks the contract.
 * - `full`: a bound is reached; nothing was stored. The message says which.
 */
export type BackendErrorCode = 'closed' | 'unavailable' | 'invalid' | 'full'

/** What a {@link Bus} or a {@link Registry} rejects with. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  readonly code: BackendErrorCode
  constructor(code: BackendErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
