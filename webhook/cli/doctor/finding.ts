// What the rules find: the closed list of codes, each with its level. Decides nothing. docs/DOCTOR.md explains each code; a test
// compares the two.

/** `error`: no scaling, or scaling by a wrong number. `warning`: it works now, or in part. `info`: to know. */
export const LEVELS = ['error', 'warning', 'info'] as const

export type Level = (typeof LEVELS)[number]

/** Programs rely on these words: they are never used for something else. */
export const CODES = {
  'api-server-unreachable': 'error',
  'not-readable': 'warning',
  'not-answered': 'warning',

  'api-service-absent': 'error',
  'api-service-foreign': 'error',
  'api-service-split': 'warning',
  'api-unreached': 'error',
  'api-shared': 'warning',
  'api-target-absent': 'error',
  'api-target-port': 'error',
  'api-without-pods': 'error',
  'api-ca-empty': 'error',
  'api-ca-expired': 'error',
  'api-ca-other': 'error',
  'api-unverified': 'warning',
  'api-certificate': 'error',
  'api-unavailable': 'error',
  'external-api-absent': 'error',
  'external-api-foreign': 'error',
  'external-api-unavailable': 'error',
  'external-not-enabled': 'error',

  'webhook-absent': 'error',
  'webhook-target-absent': 'error',
  'webhook-target-port': 'error',
  'webhook-without-pods': 'error',
  'webhook-ca-empty': 'error',
  'webhook-ca-expired': 'error',
  'webhook-ca-other': 'error',
  'webhook-fails-closed': 'warning',
  'webhook-excludes-namespace': 'error',
  'webhook-excludes-pod': 'error',

  'operator-absent': 'error',
  'minicluster-absent': 'error',
  'minicluster-going': 'info',
  'minicluster-finished': 'info',
  'not-enabled': 'error',
  annotation: 'warning',
  'operator-refuses': 'error',
  'operator-behind': 'error',
  'status-size': 'warning',
  'no-maximum': 'warning',
  scheduler: 'warning',
  bursting: 'warning',
  kueue: 'warning',

  'job-absent': 'error',
  'lead-pod-absent': 'error',
  'not-injected': 'error',
  'sidecar-waiting': 'error',
  'sidecar-ended': 'error',
  'sidecar-restarts': 'warning',
  'sidecar-identity': 'error',
  'sidecar-unreachable': 'error',
  'flux-unread': 'error',
  'metrics-unanswered': 'error',
  'flux-warning': 'warning',
  'flux-unknown': 'info',
  'older-release': 'info',
  'pods-unscheduled': 'warning',
  'pods-refused': 'warning',
  'pods-not-starting': 'warning',
  'pods-missing': 'warning',
  'pods-unprotected': 'warning',
  'pods-share-nodes': 'info',

  'hpa-none': 'info',
  'hpa-of-keda': 'info',
  'hpa-several': 'error',
  'hpa-target': 'error',
  'hpa-above-maximum': 'error',
  'hpa-below-minimum': 'error',
  'hpa-minimum-zero': 'error',
  'hpa-below-maximum': 'info',
  'hpa-usage': 'warning',
  'hpa-described-object': 'error',
  'hpa-metric': 'error',
  'hpa-feedback': 'warning',
  'hpa-target-missing': 'error',
  'hpa-value': 'error',
  'hpa-average-value': 'warning',
  'hpa-overflow': 'error',
  'hpa-tolerance': 'warning',
  'hpa-growth-off': 'warning',
  'hpa-growth-slow': 'info',
  'hpa-shrinks-at-once': 'warning',
  'hpa-fallback': 'warning',
  'hpa-rights': 'warning',
  'hpa-forbidden': 'error',
  'hpa-selector': 'error',
  'hpa-failing': 'error',
  'hpa-unable': 'error',
  'hpa-at-maximum': 'info',
} as const satisfies Readonly<Record<string, Level>>

export type Code = keyof typeof CODES

export interface Finding {
  readonly code: Code
  readonly level: Level
  /** The object in question: `HPA hpc/flux-sample`. */
  readonly subject: string
  /** What is wrong, and what follows from it. */
  readonly message: string
  /** One thing to do. */
  readonly fix: string
  /** The word of another closed list: admission's, or the code of a sentence of the sidecar or the gateway. */
  readonly reason?: string
  /** Whether nothing that follows can be judged, although it is no error. */
  readonly isEnd?: true
}

export function finding(code: Code, rest: Omit<Finding, 'code' | 'level'>): Finding {
  return { code, level: CODES[code], ...rest }
}

/** Whether what hangs on it cannot be judged. */
export function isBroken({ level, isEnd }: Finding): boolean {
  return level === 'error' || isEnd === true
}

const TAILS =
  /: ((?:set|run|release|submit|ask|cancel|reload|scale|let|request|add|remove|rename|change|name|create|choose|delete)\b.*)$/s

/** Splits a sentence that ends with its cure, as those of webhook and sidecar do. */
export function splitCure(
  sentence: string,
  otherwise: string,
): { readonly message: string; readonly fix: string } {
  const tail = TAILS.exec(sentence)
  if (tail === null) return { message: sentence, fix: otherwise }
  return { message: sentence.slice(0, tail.index), fix: tail[1] ?? otherwise }
}
