/** One way of doing the thing that is measured. */
export interface Contender<Result> {
  readonly name: string
  run(): Promise<Result>
}

/**
 * Runs all contenders once per round, in turn, so that what disturbs the machine for a while disturbs all of them. The
 * order is reversed in every other round: nobody always runs after the same one.
 */
export async function runRounds<Result>(
  contenders: readonly Contender<Result>[],
  rounds: number,
): Promise<Map<string, Result[]>> {
  const results = new Map<string, Result[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const { name, run } of order) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`)
      results.get(name)?.push(await run())
    }
  }
  return results
}
