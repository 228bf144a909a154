import { expect, test } from 'vitest'
import { readServeArguments } from '../src/command/read-serve-settings.ts'
import { defaultHubSettings, type HubSettings } from '../src/hub-settings.ts'

const read = (argv: readonly string[], environment: Record<string, string> = {}): HubSettings => {
  const { settings } = readServeArguments(argv, environment)
  if (!settings) throw new Error('It took this for a cry for help')
  return settings
}

test('without options the defaults hold', () => {
  expect(read([])).toEqual(defaultHubSettings)
})

test('flags win over the environment, the environment over the defaults', () => {
  const environment = { MILLRACE_PORT: '4000', MILLRACE_HOST: 'localhost', MILLRACE_DEMO: '1' }
  expect(read(['--port', '5000', '--insecure'], environment)).toMatchObject({
    host: 'localhost',
    port: 5000,
    demo: true,
    insecure: true,
  })
})

test('a log in a file is named by its path, as it stands', () => {
  expect(read(['--log', 'sqlite:./a b.db']).log).toBe('sqlite:./a b.db')
  expect(read([], { MILLRACE_LOG: 'sqlite:/var/lib/x.db' }).log).toBe('sqlite:/var/lib/x.db')
})

test.each<readonly [string[], Record<string, string>, string]>([
  [['--prot', '1'], {}, 'There is no option --prot. Did you mean --port?'],
  [['--port', 'x'], {}, '--port is "x"; it must be a whole number from 0 to 65535.'],
  [['--port=70000'], {}, '--port is "70000"'],
  [[], { MILLRACE_PORT: '-1' }, 'MILLRACE_PORT is "-1"'],
  [[], { MILLRACE_PORT: 'abc' }, 'MILLRACE_PORT is "abc"; it must be a whole number from 0 to 65535.'],
  [[], { MILLRACE_PORT: 'tcp://10.0.0.1:3000' }, 'enableServiceLinks: false'],
  [[], { MILLRACE_LOG: 'paper' }, 'MILLRACE_LOG is "paper"'],
  [[], { MILLRACE_LOG: 'nats://n' }, 'MILLRACE_LOG is "nats://n"; nats: is not built yet'],
  [['--workers', '2'], {}, '--workers is not built yet'],
  [[], { MILLRACE_TICKET_TTL_MS: '5' }, 'MILLRACE_TICKET_TTL_MS is not built yet'],
  [[], { MILLRACE_JWKS: 'https://example.org' }, 'MILLRACE_JWKS is not built yet'],
  [
    ['--log', 'redis://localhost'],
    {},
    '--log is "redis://localhost"; redis: is not built yet. Use sqlite:./millrace.db, or memory:',
  ],
  [['--log', 'sqlite://x.db'], {}, '--log is "sqlite://x.db"; sqlite: needs a path, such as sqlite:./millrace.db or'],
  [['--log', 'sqlite:'], {}, '--log is "sqlite:"; sqlite: needs a path, such as sqlite:./millrace.db'],
  [
    ['--log', 'nonsense'],
    {},
    '--log is "nonsense"; it must be sqlite: and a path, such as sqlite:./millrace.db, or memory:.',
  ],
  [[], { MILLRACE_DEMO: 'yes' }, 'MILLRACE_DEMO is "yes"; use 1 or 0.'],
  [['extra'], {}, '"extra" belongs to no option. See millrace serve --help.'],
  [['--port'], {}, '--port needs a value. See millrace serve --help.'],
  [['--port', '--demo'], {}, '--port needs a value. See millrace serve --help.'],
  [['--demo=yes'], {}, '--demo takes no value. See millrace serve --help.'],
  [['-p', '3000'], {}, 'There is no option -p. See millrace serve --help.'],
  // A variable of a shell that is not set: what it was to say is not to be left out in silence.
  [['--port='], {}, '--port is ""; it must be a whole number from 0 to 65535.'],
  [['--log', ''], {}, '--log is ""; it must be sqlite: and a path'],
  [['--config', ''], {}, '--config is ""; name a file.'],
])('%j with %j is refused: %s', (argv, environment, message) => {
  expect(() => read(argv, environment)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
  )
})

test('a variable of the environment that is empty is one that is not set', () => {
  const environment = { MILLRACE_PORT: '', MILLRACE_CONFIG: '', MILLRACE_DEMO: '' }
  expect(read([], environment)).toEqual(read([], {}))
})

test.each([['--help'], ['-h']])('%s is help, whatever else is wrong', (flag) => {
  expect(readServeArguments([flag], { MILLRACE_PORT: 'abc' })).toEqual({ settings: undefined, warnings: [] })
})

test('variables that are no option are warned of, with the one that was meant', () => {
  const { settings, warnings } = readServeArguments([], {
    MILLRACE_PROT: '1',
    MILLRACE_SOMETHING_ELSE: '1',
    MILLRACE_PORT: '4000',
    PORT: '1',
  })
  expect(warnings).toEqual([
    'MILLRACE_PROT is no option and is ignored. Did you mean MILLRACE_PORT?',
    'MILLRACE_SOMETHING_ELSE is no option and is ignored.',
  ])
  expect(settings?.port).toBe(4000)
})

test('variables that Kubernetes sets beside a service named millrace are not warned of', () => {
  const environment = {
    MILLRACE_SERVICE_HOST: '10.0.0.1',
    MILLRACE_SERVICE_PORT: '3000',
    MILLRACE_SERVICE_PORT_HTTP: '3000',
    MILLRACE_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
    MILLRACE_PORT_3000_TCP_ADDR: '10.0.0.1',
  }
  expect(readServeArguments([], environment).warnings).toEqual([])
})
