package dev.regen.agent.api;

import java.util.Locale;

/** What a caller may: each role includes those before it. */
public enum Role {
  /** Sees queues, snapshots, jobs and events, and nothing of what is in them. */
  VIEW,
  /** Also captures, restores, transfers, removes, and reads what snapshots hold. */
  OPERATE,
  /** Also keys, tokens, and places that are not in the configuration. */
  ADMIN;

  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads {@link #word}.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Role of(String word) {
    for (Role role : values()) {
      if (role.word().equals(word)) {
        return role;
      }
    }
    throw new IllegalArgumentException("a role is view, operate or admin, not '" + word + "'");
  }

  public boolean includes(Role other) {
    return compareTo(other) >= 0;
  }
}
