import { parseSync } from 'vite'

/** What the rules ask of one source file. */
export interface SourceFacts {
  readonly imports: readonly ImportFact[]
  /** Free names that only Node provides, and `console`. */
  readonly globals: readonly GlobalFact[]
  readonly lineCount: number
  /** The comments before the first statement. */
  readonly topComment: string
}

export interface ImportFact {
  /** Undefined when it is computed, so that nobody can tell what is imported. */
  readonly specifier: string | undefined
  /** Whether nothing of it is left at run time. */
  readonly isType: boolean
  readonly line: number
}

export interface GlobalFact {
  readonly name: string
  readonly line: number
}

interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

const nodeGlobals = new Set([
  'Buffer',
  'NodeJS',
  '__dirname',
  '__filename',
  'clearImmediate',
  'global',
  'process',
  'require',
  'setImmediate',
])

/** Throws on a syntax error: a file that cannot be read cannot be said to keep the rules. */
export function readFacts(path: string, text: string): SourceFacts {
  const { program, comments, errors } = parseSync(path, text)
  const [error] = errors
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`)
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length

  const imports: ImportFact[] = []
  const globals: GlobalFact[] = []
  const declared = new Set<string>()
  walk(program as unknown as SyntaxNode, undefined, (node, parent) => {
    const source = importSource(node)
    if (source !== undefined)
      imports.push({ specifier: literal(source), isType: isTypeOnly(node), line: lineAt(node.start) })
    for (const name of declaredNames(node)) declared.add(name)
    const name = globalName(node, parent)
    if (name !== undefined) globals.push({ name, line: lineAt(node.start) })
  })

  const firstStatement = program.body[0]?.start ?? text.length
  const top = comments.filter((comment) => comment.start < firstStatement)
  return {
    imports,
    globals: globals.filter(({ name }) => !declared.has(name)),
    lineCount: text.replace(/\n$/, '').split('\n').length,
    topComment: top.map((comment) => comment.value).join('\n'),
  }
}

function walk(node: SyntaxNode, parent: SyntaxNode | undefined, visit: (n: SyntaxNode, p?: SyntaxNode) => void): void {
  visit(node, parent)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, node, visit)
    }
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The node that names what is imported, for each of the forms in which a module names another. */
function importSource(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return isNode(node['source']) ? node['source'] : undefined
    default:
      return undefined
  }
}

function isTypeOnly(node: SyntaxNode): boolean {
  return node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type'
}

function literal(node: SyntaxNode): string | undefined {
  return node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined
}

/** Names that a node binds. Scopes are not told apart: these names are no good for anything else anyway. */
function declaredNames(node: SyntaxNode): string[] {
  const bound: unknown[] = []
  if (node.type === 'VariableDeclarator') bound.push(node['id'])
  if (node.type.startsWith('Import') && 'local' in node) bound.push(node['local'])
  if (Array.isArray(node['params'])) bound.push(...node['params'])
  return bound.filter(isNode).flatMap((target) => (target.type === 'Identifier' ? [String(target['name'])] : []))
}

/** The name when the node refers to a global that is watched, alone or as a member of `globalThis`. */
function globalName(node: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  if (node.type !== 'Identifier') return undefined
  const name = String(node['name'])
  if (name !== 'console' && !nodeGlobals.has(name)) return undefined
  const isMember = parent?.type === 'MemberExpression' && parent['property'] === node && parent['computed'] !== true
  if (isMember) {
    const object = parent['object']
    const ofGlobalThis = isNode(object) && object.type === 'Identifier' && object['name'] === 'globalThis'
    return ofGlobalThis ? name : undefined
  }
  const isKey =
    parent !== undefined && parent['key'] === node && parent['computed'] !== true && parent['shorthand'] !== true
  if (isKey) return undefined
  const readsEnvironment = name === 'process' && parent !== undefined && environmentOf(parent, node)
  return readsEnvironment ? 'process.env' : name
}

/** `process.env`, or `const { env } = process`. */
function environmentOf(parent: SyntaxNode, processNode: SyntaxNode): boolean {
  if (parent.type === 'MemberExpression' && parent['object'] === processNode) {
    return isNode(parent['property']) && (parent['property']['name'] ?? parent['property']['value']) === 'env'
  }
  if (parent.type !== 'VariableDeclarator' || !isNode(parent['id'])) return false
  const properties = parent['id']['properties']
  return (
    Array.isArray(properties) && properties.some((p) => isNode(p) && isNode(p['key']) && p['key']['name'] === 'env')
  )
}
