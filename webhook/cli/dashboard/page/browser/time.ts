// Times as people read them: of the browser's time zone, 24 hours. Pure.

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

const MINUTES = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** `03:12:44` */
export function clockOf(seconds: number): string {
  return CLOCK.format(seconds * 1000)
}

/** `03:12` */
export function minuteOf(seconds: number): string {
  return MINUTES.format(seconds * 1000)
}

/** A time in ISO 8601 as `03:12:44`. */
export function clockOfIso(text: string): string {
  return clockOf(Date.parse(text) / 1000)
}
