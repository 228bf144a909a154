import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Runs in the runtime that is tried, with `runCases`, `allCases` and the class in reach. */
export async function bundleConformance(script: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { EventSource as OwnEventSource } from '@millrace/client'
        import { allCases, nativeCases, runCases } from './all-cases.ts'
        const hasBase = typeof location === 'object'
        const cases = allCases.filter(({ needs }) => needs !== 'base' || hasBase)
        ${script}`,
      resolveDir: fileURLToPath(new URL('../../../packages/client/test/conformance', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@millrace/source'],
    logLevel: 'warning',
  })
  const [output] = outputFiles
  if (!output) throw new Error('esbuild wrote no file')
  return output.text
}
