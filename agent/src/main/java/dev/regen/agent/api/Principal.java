package dev.regen.agent.api;

/**
 * Who asks.
 *
 * @param name for the audit log; never a secret
 */
public record Principal(String name, Role role) {
  /** Whoever may write to the Unix socket: root, and the socket's group. */
  public static final Principal LOCAL = new Principal("local", Role.ADMIN);
}
