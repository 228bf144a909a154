/**
 * An event of a stream: to everybody a `MessageEvent`, but not made by its constructor, which takes longer on Node than
 * everything else that an event costs together (`npm run bench -- event-source`).
 */
export class StreamMessage extends Event {
  declare readonly source: null
  declare readonly ports: readonly []
  readonly data: string
  readonly lastEventId: string
  readonly origin: string

  constructor(type: string, data: string, lastEventId: string, origin: string) {
    super(type)
    this.data = data
    this.lastEventId = lastEventId
    this.origin = origin
  }

  static {
    Reflect.deleteProperty(this.prototype, 'constructor')
    Object.setPrototypeOf(this.prototype, MessageEvent.prototype)
    Object.defineProperties(this.prototype, { source: { value: null }, ports: { value: Object.freeze([]) } })
  }
}
