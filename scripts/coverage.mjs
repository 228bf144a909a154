// `npm run coverage`: which lines of the protocol, the engine and the Node transport their own tests reach; fails below the
// thresholds in vitest.config.ts. What the simulation and the browsers reach besides is not counted.
import { ensureInstalled } from './ensure-install.mjs'
import { runVitest } from './run-vitest.mjs'

await ensureInstalled()

/** Tests of what work and memory something costs: they tell nothing when every line is counted, and take minutes. */
const withoutCosts = '^(?!.*(a million events|cost))'

const summary = await runVitest([
  '--project=unit',
  '--coverage',
  `--testNamePattern=${withoutCosts}`,
  ...['protocol', 'server', 'node'].map((name) => `packages/${name}/`),
])
process.exitCode = summary.failed > 0 ? 1 : 0
