import { Catch, HttpException, Logger, type ArgumentsHost } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { isIfMatchError, problemDetails } from 'fastify-if-match'

/** Answers with the code of an error of fastify-if-match, which Nest leaves out. */
@Catch()
export class IfMatchFilter extends BaseExceptionFilter {
  readonly #logger = new Logger('fastify-if-match')

  override catch (exception: unknown, host: ArgumentsHost): void {
    // Of an error that a hook of Fastify threw, Nest has made an HttpException.
    const error = [exception, Object(exception).cause].find(isIfMatchError)
    if (error === undefined) return super.catch(exception, host)
    if (error.statusCode >= 500) this.#logger.error(error)
    super.catch(new HttpException(problemDetails(error), error.statusCode), host)
  }
}
