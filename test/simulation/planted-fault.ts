/** A mistake that could be made in the engine, and that the simulation must notice. */
export interface PlantedFault {
  readonly name: string
  /** The file of `packages/server/src` that it is planted in. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly snippet: string
  readonly replacement: string
  /** The rules that it breaks: one of them must be the first to break in some run. */
  readonly breaks: readonly string[]
  /** A seed that has caught it: the first to be tried, where few do. */
  readonly trySeed?: number
}
