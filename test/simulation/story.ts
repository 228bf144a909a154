import { runSeed, type RunOptions } from './run-seed.ts'

/** Longer values are cut: a story is read by people. Characters. */
const MAX_LINE = 400

/** Runs a seed again and tells what happened, what broke, and how to see it again. */
export async function storyOf(options: RunOptions): Promise<string> {
  const { story, fault } = await runSeed({ ...options, tells: true })
  const { seed, stepCount } = options
  const lines = story.map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line))
  const end = fault ? (fault.stack ?? fault.message) : 'Every invariant held.'
  return [
    ...lines,
    '',
    `Seed ${seed}: ${end}`,
    `Again: npm run simulate -- --seeds 1 --seed ${seed} --steps ${stepCount}`,
  ].join('\n')
}
