// The root of all logging: JSON lines on stdout, for `kubectl logs`.
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from './env.ts'

export type { Logger } from 'pino'

/**
 * Creates the root logger. Lines are written synchronously: the last ones before an exit are those that matter.
 *
 * @param stream where to write; default: standard output
 */
export function createLogger(
  level: LogLevel,
  stream: DestinationStream = destination({ fd: 1, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['authorization', '*.authorization', 'headers.authorization', 'headers.cookie'],
    },
    stream,
  )
}
