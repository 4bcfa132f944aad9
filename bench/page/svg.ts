// Charts as SVG, readable on light and dark pages: the background is that of the page, and the colour of the text
// follows what the reader prefers.

const WIDTH = 760
const COLOURS = ['#4477aa', '#ee6677', '#228833', '#bb9900', '#aa3377', '#66aacc', '#888888', '#cc5500']
const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #8886; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>`

const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

function text (x: number, y: number, content: string, anchor = 'start', className = ''): string {
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`
  return `<text ${place} text-anchor="${anchor}" class="${className}">${escape(content)}</text>`
}

function svg (title: string, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
    `role="img" aria-label="${escape(title)}">\n${STYLE}\n${text(8, 20, title, 'start', 'title')}\n` +
    `${parts.join('\n')}\n</svg>\n`
}

/** A number as short as it can be read: 1,234 or 12.3 or 0.45. */
export function shortNumber (value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return Number(value.toPrecision(value >= 10 ? 3 : 2)).toString()
}

/** Bars of one group, such as a scenario: name and value. */
export interface Group { readonly name: string, readonly bars: ReadonlyArray<readonly [name: string, value: number]> }

/** Horizontal bars in groups; a bar of one name has one colour. */
export function barChart (title: string, groups: readonly Group[]): string {
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(([name]) => name)))]
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(([, value]) => value)))
  const left = 230
  const scale = (WIDTH - left - 80) / most
  const parts: string[] = []
  let y = 34
  for (const { name: group, bars } of groups) {
    parts.push(text(8, y + 12, group))
    for (const [name, value] of bars) {
      const colour = COLOURS[names.indexOf(name) % COLOURS.length]!
      const width = Math.max(1, value * scale).toFixed(1)
      parts.push(text(left - 6, y + 12, name, 'end'))
      parts.push(`<rect x="${left}" y="${y + 2}" width="${width}" height="12" fill="${colour}"/>`)
      parts.push(text(left + value * scale + 5, y + 12, shortNumber(value)))
      y += 17
    }
    y += 9
  }
  return svg(title, y + 4, parts)
}

/** A line: its name, and its points. */
export interface Line { readonly name: string, readonly points: ReadonlyArray<readonly [x: number, y: number]> }

/** Lines over an axis; `isLog`: both axes are logarithmic, so that a power of x is a straight line. */
export function lineChart (title: string, unit: string, lines: readonly Line[], isLog: boolean): string {
  const [left, top, width, height] = [60, 40, 460, 260]
  const f = isLog ? Math.log10 : (value: number) => value
  const points = lines.flatMap((line) => line.points)
  const xs = points.map(([x]) => f(x))
  const ys = points.map(([, y]) => f(y))
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
  const [y0, y1] = isLog ? [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))] : [0, Math.max(...ys) * 1.05]
  const placeX = (x: number): number => left + (f(x) - x0) / (x1 - x0 || 1) * width
  const placeY = (y: number): number => top + height - (f(y) - y0) / (y1 - y0 || 1) * height
  const parts = ticks(y0, y1, isLog).map((tick) =>
    `<line class="grid" x1="${left}" x2="${left + width}" y1="${placeY(tick)}" y2="${placeY(tick)}"/>` +
    text(left - 6, placeY(tick) + 4, shortNumber(tick), 'end'))
  const marks = isLog ? [...new Set(points.map(([x]) => x))] : ticks(x0, x1, false)
  // Half of them, where they would overlap.
  const step = Math.ceil(marks.length / 10)
  for (const mark of marks.filter((_, index) => index % step === 0)) {
    parts.push(text(placeX(mark), top + height + 18, shortNumber(mark), 'middle'))
  }
  parts.push(text(left + width / 2, top + height + 38, unit, 'middle'))
  for (const [index, line] of lines.entries()) {
    const colour = COLOURS[index % COLOURS.length]!
    const path = line.points.map(([x, y]) => `${placeX(x).toFixed(1)},${placeY(y).toFixed(1)}`).join(' ')
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`)
    parts.push(`<rect x="${left + width + 14}" y="${top + index * 20}" width="12" height="12" fill="${colour}"/>`)
    parts.push(text(left + width + 32, top + index * 20 + 11, line.name))
  }
  return svg(title, top + height + 50, parts)
}

/** Where an axis has its marks: the powers of ten, or about five round numbers. */
function ticks (from: number, to: number, isLog: boolean): number[] {
  if (isLog) return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
  const rough = (to - from) / 5 || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)!
  const first = Math.ceil(from / step)
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, index) => (first + index) * step)
}
