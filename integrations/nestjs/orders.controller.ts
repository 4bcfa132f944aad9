import { Body, ConflictException, Controller, Delete, Get, HttpCode, Post, Put, Req, Res } from '@nestjs/common'
import { RouteConfig } from '@nestjs/platform-fastify'
import type { Database } from 'better-sqlite3'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Line, Order } from '../order.js'

@Controller('orders')
export class OrdersController {
  @Get(':id')
  @RouteConfig({ ifMatch: true })
  async read (@Req() request: FastifyRequest): Promise<Order> {
    return (await request.entity<Order>().read()).value
  }

  @Put(':id')
  @RouteConfig({ ifMatch: true })
  async replace (
    @Req() request: FastifyRequest,
    @Body() order: Order,
    @Res({ passthrough: true }) reply: FastifyReply
  ): Promise<Order> {
    const { value, created } = await request.entity<Order>().replace(order)
    reply.code(created ? 201 : 200)
    return value
  }

  @Delete(':id')
  @HttpCode(204)
  @RouteConfig({ ifMatch: true })
  async remove (@Req() request: FastifyRequest): Promise<void> {
    await request.entity().remove()
  }

  @Post(':id/lines')
  @HttpCode(200)
  @RouteConfig({ ifMatch: { key: '/orders/:id' } })
  async addLine (@Req() request: FastifyRequest<{ Params: { id: string } }>, @Body() line: Line): Promise<Order> {
    const { value } = await request.entity<Order>().transaction(async (tx: Database, current) => {
      const { lines } = await current.value()
      if (lines.length === 2) throw new ConflictException('The order is full.')
      const add = tx.prepare('INSERT INTO lines (order_id, position, sku, quantity) VALUES (?, ?, ?, ?)')
      add.run(Number(request.params.id), lines.length, line.sku, line.quantity)
      return await current.value()
    })
    return value
  }
}
