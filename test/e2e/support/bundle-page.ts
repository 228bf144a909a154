import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

/** Packages that stand for others, with their folders. */
export type Alias = Readonly<Record<string, string>>

/** A page with one script. @param entry beside this file */
export async function bundlePage(entry: string, body: string, alias: Alias = {}): Promise<string> {
  const script = (await bundleScript(entry, alias)).replaceAll('</script', String.raw`<\/script`)
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Test</title>
    ${body}<script type="module">${script}</script>`
}

/** A module made as a user's bundler makes it. @param entry beside this file */
export async function bundleScript(entry: string, alias: Alias = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    target: 'es2022',
    conditions: ['@millrace/source'],
    alias: { ...alias },
    // React's development build: StrictMode mounts twice there, and complaints are written.
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'warning',
  })
  return outputFiles[0]?.text ?? ''
}
