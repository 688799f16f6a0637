import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/**
 * Delivers the remaining messages of a port. The result of a task uses another port than its messages and may overtake
 * them.
 */
export function drain<Message>(port: MessagePort, take: (message: Message) => void): void {
  for (let entry = receiveMessageOnPort(port); entry; entry = receiveMessageOnPort(port)) take(entry.message);
}
