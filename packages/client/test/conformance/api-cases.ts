// oxlint-disable unicorn/prefer-add-event-listener -- the attributes are what is tried
import type { ConformanceCase } from './conformance-case.ts'
import { equal, pause, thrownBy, until } from './world.ts'

const HELLO = { body: 'data: hello\n\n' }

/** The interface: constructor, attributes, constants, handlers and listeners. */
export const apiCases: readonly ConformanceCase[] = [
  {
    name: 'the constructor needs `new` and a URL',
    wpt: ['interfaces.html'],
    run({ EventSource }) {
      equal(
        thrownBy(() => (EventSource as unknown as () => void)()),
        'TypeError',
      )
      equal(
        thrownBy(() => Reflect.construct(EventSource, [])),
        'TypeError',
      )
    },
  },
  {
    name: 'a URL that is none is a SyntaxError',
    wpt: ['eventsource-constructor-url-bogus.any.js'],
    run({ EventSource }) {
      equal(
        thrownBy(() => new EventSource('http://[')),
        'SyntaxError',
      )
      let error: unknown
      try {
        void new EventSource('http://a:b')
      } catch (thrown) {
        error = thrown
      }
      equal(error instanceof DOMException, true)
    },
  },
  {
    name: 'the URL is made a string',
    wpt: ['eventsource-constructor-stringify.js'],
    async run(world) {
      const url = world.url(HELLO)
      const heard = world.listen(new world.EventSource({ toString: () => url } as unknown as string))
      equal(await heard.messages(1), ['hello'])
      equal(heard.source.url, url)
      equal(world.listen(new world.EventSource(new URL(url))).source.url, url)
    },
  },
  {
    name: 'a relative URL, the empty one too, is resolved against the page or worker',
    wpt: ['eventsource-url.js', 'eventsource-constructor-empty-url.js'],
    needs: 'base',
    run(world) {
      const base = globalThis.document?.baseURI ?? globalThis.location.href
      for (const url of ['x', '', '?y', '//other.invalid/']) {
        equal(world.listen(new world.EventSource(url)).source.url, new URL(url, base).href)
      }
    },
  },
  {
    name: 'the url attribute is the whole URL with its fragment, which is not sent',
    wpt: ['eventsource-url.js'],
    async run(world) {
      const url = `${world.url(HELLO)}#fragment`
      const heard = world.listen(new world.EventSource(url))
      await heard.messages(1)
      equal(heard.source.url, url)
      equal((await heard.seen())[0]?.url.includes('fragment'), false)
    },
  },
  {
    name: 'schemes that nothing can be fetched from end it, with a plain event',
    wpt: [
      'eventsource-constructor-non-same-origin.window.js',
      'dedicated-worker/eventsource-constructor-non-same-origin.htm',
    ],
    async run(world) {
      for (const url of [
        'ftp://example.invalid/',
        'about:blank',
        'mailto:a@example.invalid',
        "javascript:alert('no')",
      ]) {
        const source = new world.EventSource(url)
        const heard = world.listen(source)
        let event: Event | undefined
        source.onerror = (error) => void (event = error)
        equal(await heard.changes(1), ['error 2'], url)
        equal(
          [event?.constructor === Event, 'data' in (event ?? {}), event?.bubbles, event?.cancelable],
          [true, false, false, false],
        )
      }
    },
  },
  {
    name: 'withCredentials is false unless asked for, whatever form the options have',
    wpt: ['request-credentials.htm'],
    run(world) {
      const url = world.url(HELLO)
      for (const init of [undefined, null, {}, { withCredentials: false }]) {
        equal(world.listen(new world.EventSource(url, init)).source.withCredentials, false)
      }
      equal(world.listen(new world.EventSource(url, { withCredentials: true })).source.withCredentials, true)
      equal(
        world.listen(new world.EventSource(url, { withCredentials: 1 as unknown as boolean })).source.withCredentials,
        true,
      )
    },
  },
  {
    name: 'readyState starts at CONNECTING, and the constants stand on class and instances, fixed and enumerable',
    wpt: ['eventsource-readyState.html', 'interfaces.html'],
    run(world) {
      const { source } = world.open([HELLO])
      equal(source.readyState, 0)
      for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSED: 2 })) {
        for (const target of [world.EventSource, world.EventSource.prototype]) {
          const descriptor = { value, writable: false, enumerable: true, configurable: false }
          equal(Object.getOwnPropertyDescriptor(target, name), descriptor, name)
        }
      }
      equal([source.CONNECTING, source.OPEN, source.CLOSED], [0, 1, 2])
    },
  },
  {
    name: 'the members are enumerable on the prototype, as Web IDL has them, and attributes are accessors',
    wpt: ['interfaces.html'],
    run(world) {
      const { prototype } = world.EventSource
      for (const name of ['url', 'withCredentials', 'readyState', 'onopen', 'onmessage', 'onerror']) {
        const { enumerable, configurable, get, set } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
        equal(
          [enumerable, configurable, typeof get, set !== undefined],
          [true, true, 'function', name.startsWith('on')],
          name,
        )
        equal(
          thrownBy(() => get?.call({})),
          'TypeError',
          name,
        )
      }
      equal(Object.getOwnPropertyDescriptor(prototype, 'close')?.enumerable, true)
      equal(world.EventSource.length, 1)
      equal(world.EventSource.name, 'EventSource')
      equal(prototype instanceof EventTarget, true)
      equal(Object.prototype.toString.call(world.open([HELLO]).source), '[object EventSource]')
    },
  },
  {
    name: 'what is added to the prototype is there on instances',
    wpt: ['eventsource-prototype.any.js'],
    run(world) {
      const prototype = world.EventSource.prototype as unknown as Record<string, unknown>
      prototype['addedByTest'] = 7
      equal((world.open([HELLO]).source as unknown as Record<string, unknown>)['addedByTest'], 7)
      delete prototype['addedByTest']
    },
  },
  {
    name: 'handlers are null at first, and become null by all that is no object',
    wpt: ['interfaces.html'],
    run(world) {
      const { source } = world.open([HELLO])
      const attributes = source as unknown as Record<string, unknown>
      for (const name of ['onopen', 'onmessage', 'onerror']) {
        equal(attributes[name], null)
        for (const value of ['text', 5, undefined, Symbol.iterator]) {
          attributes[name] = value
          equal(attributes[name], null)
        }
        const object = {}
        attributes[name] = object
        equal(attributes[name] === object, true)
      }
    },
  },
  {
    name: 'onopen, onmessage and listeners are called, with the source as `this` and the target',
    wpt: ['eventsource-onopen.js', 'eventsource-onmessage.js', 'eventsource-eventtarget.js'],
    async run(world) {
      const { source } = world.open([HELLO])
      const calls: unknown[] = []
      source.onopen = function (event) {
        calls.push(['open', this === source, event.target === source, event.constructor === Event])
      }
      source.onmessage = function (event) {
        calls.push(['message', this === source, event.target === source, event.constructor === MessageEvent])
      }
      source.addEventListener('message', { handleEvent: () => calls.push('listener') })
      await until(() => calls.length === 3, 'the calls')
      equal(calls, [['open', true, true, true], ['message', true, true, true], 'listener'])
    },
  },
  {
    name: 'a handler keeps its place among the listeners when it is replaced, and loses it when it is removed',
    wpt: ['interfaces.html'],
    async run(world) {
      const heard = world.open([{ body: 'data: 1\n\ndata: 2\n\n' }])
      const { source } = heard
      const calls: string[] = []
      const say = (name: string) => () => void calls.push(name)
      source.onmessage = say('old')
      source.addEventListener('message', say('a'))
      source.onmessage = say('new')
      source.addEventListener('message', () => {
        if (calls.length > 2) return
        source.onmessage = null
        source.onmessage = say('last')
      })
      await heard.messages(2)
      await pause(0)
      equal(calls, ['new', 'a', 'a', 'last'])
    },
  },
  {
    name: 'a listener that throws does not keep others from being called, nor the stream from going on',
    wpt: [],
    native: 'the page reports the error, in all classes alike',
    async run(world) {
      const heard = world.open([{ body: 'data: 1\n\ndata: 2\n\n' }])
      const swallow = (event: Event): void => event.preventDefault()
      heard.source.onmessage = { not: 'callable' } as unknown as null
      globalThis.addEventListener?.('error', swallow)
      equal(await heard.messages(2), ['1', '2'])
      globalThis.removeEventListener?.('error', swallow)
    },
  },
  {
    name: 'a message event has the type, data, origin and id of the event, and neither bubbles nor can be cancelled',
    wpt: ['eventsource-onmessage.js', 'event-data.js'],
    async run(world) {
      const heard = world.open([{ body: 'id: 7\nevent: tick\ndata: x\n\n' }], {}, ['tick'])
      let event: MessageEvent | undefined
      heard.source.addEventListener('tick', (each) => void (event = each))
      await heard.messages(1)
      const { type, data, lastEventId, origin, bubbles, cancelable } = event as MessageEvent
      equal([type, data, lastEventId, origin, bubbles, cancelable], ['tick', 'x', '7', world.origin, false, false])
      equal([event?.source, event?.ports.length], [null, 0])
    },
  },
  {
    name: 'nothing happens before the constructor returns',
    wpt: [],
    async run(world) {
      const heard = world.open([HELLO])
      equal(heard.notes, [])
      await heard.messages(1)
      equal(heard.notes[0]?.type, 'open')
      await pause(1)
    },
  },
]
