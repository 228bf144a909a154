// @ts-check

/**
 * The last seconds of the stream as a picture. Each event is a mark at the time when it was *published*, in the lane of
 * its topic; the bar below says when the page was connected. While the page is away no mark appears; when it comes
 * back, the marks of that time appear at once, where they belong: that is what resuming means.
 *
 * @typedef {'live' | 'replayed' | 'missed'} MarkKind
 * @typedef {{ lane: string, timeMs: number, kind: MarkKind }} Mark
 * @typedef {{ fromMs: number, toMs: number | undefined }} Absence `toMs` is undefined while it lasts.
 */

/** @param {number} width CSS pixels. */
const spanMs = (width) => (width < 480 ? 25_000 : 40_000)
const marksKept = 1_000
const laneHeight = 18
const barHeight = 22
const gutter = 58

/**
 * @param {object} given
 * @param {HTMLCanvasElement} given.canvas
 */
export function createEventTape({ canvas }) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const style = getComputedStyle(document.documentElement)
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(name).trim()

  /** @type {readonly string[]} */
  let lanes = []
  /** @type {Mark[]} */
  let marks = []
  /** @type {Absence[]} */
  const absences = []
  const startedMs = Date.now()
  /** How far this machine's clock is ahead of the hub's; at least the time an event takes to come. */
  let clockAheadMs = Infinity

  function draw() {
    const { width, height } = fit()
    const nowMs = Date.now()
    const span = spanMs(width)
    const left = gutter
    const right = width - 8
    /** @param {number} timeMs */
    const x = (timeMs) => right - ((nowMs - timeMs) / span) * (right - left)

    context.clearRect(0, 0, width, height)
    context.font = '11px system-ui, sans-serif'
    context.textBaseline = 'middle'
    const lanesHeight = lanes.length * laneHeight

    for (const { fromMs, toMs } of absences) {
      const from = Math.max(left, x(fromMs))
      const to = Math.min(right, x(toMs ?? nowMs))
      if (to <= left) continue
      context.fillStyle = color('--away-band')
      context.fillRect(from, 0, to - from, lanesHeight + barHeight)
    }
    for (const [at, lane] of lanes.entries()) {
      const y = at * laneHeight + laneHeight / 2
      context.fillStyle = color('--ink-soft')
      context.textAlign = 'left'
      context.fillText(lane, 0, y)
      context.fillStyle = color('--line')
      context.fillRect(left, y, right - left, 1)
    }
    const ahead = Number.isFinite(clockAheadMs) ? clockAheadMs : 0
    for (const { lane, timeMs, kind } of marks) {
      const at = lanes.indexOf(lane)
      const center = x(timeMs + ahead)
      if (at === -1 || center < left || center > right + 4) continue
      drawMark(kind, center, at * laneHeight + laneHeight / 2)
    }
    drawBar(lanesHeight + 5, left, right, x, nowMs)
  }

  /**
   * @param {MarkKind} kind
   * @param {number} x
   * @param {number} y
   */
  function drawMark(kind, x, y) {
    context.beginPath()
    if (kind === 'live') {
      context.fillStyle = color('--live')
      context.roundRect(x - 1.5, y - 5, 3, 10, 1.5)
      context.fill()
      return
    }
    context.arc(x, y, 4, 0, 2 * Math.PI)
    if (kind === 'replayed') {
      context.fillStyle = color('--replayed')
      context.fill()
      return
    }
    context.strokeStyle = color('--missed')
    context.lineWidth = 1.5
    context.stroke()
  }

  /**
   * @param {number} y
   * @param {number} left
   * @param {number} right
   * @param {(timeMs: number) => number} x
   * @param {number} nowMs
   */
  function drawBar(y, left, right, x, nowMs) {
    const start = Math.max(left, x(startedMs))
    context.fillStyle = color('--live')
    context.fillRect(start, y + 4, right - start, 4)
    context.textAlign = 'left'
    context.fillStyle = color('--ink-soft')
    context.fillText('stream', 0, y + 6)
    for (const { fromMs, toMs } of absences) {
      const from = Math.max(left, x(fromMs))
      const to = Math.min(right, x(toMs ?? nowMs))
      if (to <= left) continue
      context.clearRect(from, y + 4, to - from, 4)
      context.fillStyle = color('--away-band')
      context.fillRect(from, y + 4, to - from, 4)
      const text = `${(((toMs ?? nowMs) - fromMs) / 1000).toFixed(1)} s away`
      const textWidth = context.measureText(text).width
      if (to - from < textWidth + 8) continue
      context.fillStyle = color('--away')
      context.textAlign = 'center'
      context.fillText(text, (from + to) / 2, y + 6)
    }
  }

  /** Makes the canvas as sharp as the screen, and as high as its lanes. */
  function fit() {
    const ratio = devicePixelRatio
    const width = canvas.clientWidth
    const height = lanes.length * laneHeight + barHeight
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.style.height = `${height}px`
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    return { width, height }
  }

  let drawnAt = 0
  /** @param {number} now */
  function frame(now) {
    if (now - drawnAt >= (calm.matches ? 1_000 : 33)) {
      drawnAt = now
      draw()
    }
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)

  return {
    /** @param {readonly string[]} next */
    setLanes(next) {
      lanes = next
    },

    /** @param {Mark} mark */
    add(mark) {
      if (mark.kind === 'live') clockAheadMs = Math.min(clockAheadMs, Date.now() - mark.timeMs)
      marks.push(mark)
      if (marks.length > marksKept) marks = marks.slice(-marksKept / 2)
    },

    left() {
      absences.push({ fromMs: Date.now(), toMs: undefined })
      if (absences.length > 50) absences.shift()
    },

    cameBack() {
      const last = absences.at(-1)
      if (last) last.toMs ??= Date.now()
    },
  }
}
