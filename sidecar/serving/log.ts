// The root logger: JSON lines on stdout, for `kubectl logs`. What is logged, and at which level, is up to its users.
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from './env.ts'

export type { Logger } from 'pino'

/**
 * Creates the root logger. It writes synchronously, so that the last lines before an exit are not lost.
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
