import type { FastifyReply } from 'fastify';

/** RFC 9457, "Problem Details for HTTP APIs". */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What happened and what to do. */
  readonly detail: string;
}

/** An error that a route answers with. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

export function sendProblem(reply: FastifyReply, { status, title, detail }: Problem): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', status, title, detail }));
}
