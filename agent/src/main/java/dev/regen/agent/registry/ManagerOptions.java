package dev.regen.agent.registry;

import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.StoreUrl;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a manager is told.
 *
 * @param store where the registry is; null for none
 * @param htpasswd who may log in; null: everybody may everything
 * @param rules null for none
 * @param tokenKey a file of 32 bytes or more that managers of one store share, so that one takes
 *     another's tokens; null: a key of this process alone
 * @param url how clients reach it, where a proxy stands before it; null: as they say
 * @param collectEvery how often what nobody needs is collected; null: never
 * @param fleet where the state of a fleet is; null for none
 */
public record ManagerOptions(
    Listening listening,
    @Nullable StoreUrl store,
    @Nullable Path htpasswd,
    @Nullable Path rules,
    @Nullable Path tokenKey,
    @Nullable URI url,
    @Nullable Duration collectEvery,
    @Nullable FleetUrl fleet) {
  public ManagerOptions {
    if (store == null && fleet == null) {
      throw new IllegalArgumentException("say where: --store URL for a registry, --fleet DATABASE");
    }
    if (fleet != null) {
      listening = listening.withOptionalCertificates();
    }
  }

  /** A registry alone. */
  public ManagerOptions(
      Listening listening,
      StoreUrl store,
      @Nullable Path htpasswd,
      @Nullable Path rules,
      @Nullable Path tokenKey,
      @Nullable URI url,
      @Nullable Duration collectEvery) {
    this(listening, store, htpasswd, rules, tokenKey, url, collectEvery, null);
  }

  /** Whether whoever reaches it may read and write everything, from other hosts too. */
  boolean openToAll() {
    return store != null && htpasswd == null && listening.isOpen();
  }
}
