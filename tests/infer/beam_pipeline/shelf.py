"""A file system of Beam's for tests: `shelf://` URLs, whose files this process holds, without folders as gs:// is."""

import io

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

FILES: dict[str, bytes] = {}


class _NewFile(io.BytesIO):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def close(self) -> None:
        if not self.closed:
            FILES[self._path] = self.getvalue()
        super().close()


class ShelfFileSystem(FileSystem):
    @classmethod
    def scheme(cls):
        return "shelf"

    def join(self, basepath, *paths):
        return "/".join([basepath, *paths])

    def split(self, path):
        return tuple(path.rsplit("/", 1))

    def mkdirs(self, path):
        pass

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        yield from (self.metadata(path) for path in sorted(FILES) if path.startswith(dir_or_prefix))

    def create(self, path, mime_type=None, compression_type=None):
        return _NewFile(path)

    def open(self, path, mime_type=None, compression_type=None):
        return io.BytesIO(FILES[path])

    def copy(self, source_file_names, destination_file_names):
        FILES.update({new: FILES[old] for old, new in zip(source_file_names, destination_file_names, strict=True)})

    def rename(self, source_file_names, destination_file_names):
        self.copy(source_file_names, destination_file_names)
        for path in source_file_names:
            del FILES[path]

    def exists(self, path):
        return path in FILES

    def size(self, path):
        return len(FILES[path])

    def last_updated(self, path):
        return 0.0

    def checksum(self, path):
        return str(hash(FILES[path]))

    def metadata(self, path):
        return FileMetadata(path, self.size(path), 0.0)

    def delete(self, paths):
        found = [
            file for path in paths for file in FILES if file == path or (path[-1] == "/" and file.startswith(path))
        ]
        if not found:
            raise BeamIOError("nothing to delete")
        for file in found:
            del FILES[file]
