/** One sentence of a contract, tried on one implementation. Any runner can run it. */
export interface ConformanceCase {
  /** A sentence that says what holds. */
  readonly name: string
  /** The words of the contract that it tests. */
  readonly clause: string
  /** Why it cannot be tried on this implementation; a runner reports it as skipped. Undefined: it can. */
  readonly exception: string | undefined
  /** Rejects with an `AssertionError` when the implementation breaks the clause. */
  run(): Promise<void>
}
