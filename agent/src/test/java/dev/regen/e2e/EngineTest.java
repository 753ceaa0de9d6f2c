package dev.regen.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A class of tests against a Docker engine. Its constructor may ask for a {@link Host}: one for all
 * its tests, or one for each test if {@link #hostPerTest}. {@link HostExtension} closes it.
 */
@Tag("engine")
@ExtendWith(HostExtension.class)
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface EngineTest {
  /** Where the engine runs. */
  Class<? extends Place> value() default Place.Here.class;

  /** For tests that stop, kill or damage parts of the host. */
  boolean hostPerTest() default false;

  /** Empty for the engine's own choice. */
  String storageDriver() default "";

  /** {@code btrfs} or {@code xfs}, in a file, for the engine's data; empty for the host's own. */
  String fileSystem() default "";
}
