/** An invariant of delivery, or a contract of the engine's interfaces, was broken. */
export class Violation extends Error {
  override readonly name = 'Violation'
  /** Such as `§11.3` or `Transport`. */
  readonly rule: string
  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.rule = rule
  }
}

/** Throws a {@link Violation} unless the condition holds. The message is made only when it is needed. */
export function must(condition: boolean, rule: string, message: () => string): asserts condition {
  if (!condition) throw new Violation(rule, message())
}
